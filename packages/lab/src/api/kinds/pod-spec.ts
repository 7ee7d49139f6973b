/** What the API server fills into the pods that it is given, and into the templates of pods alike. */
import type { StatusCause } from '../errors.ts';
import { isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';

function containersOf(spec: JsonObject): JsonObject[] {
  return ['initContainers', 'containers', 'ephemeralContainers'].flatMap((field) => {
    const list = spec[field];
    return Array.isArray(list) ? list.filter(isJsonObject) : [];
  });
}

/** Defaults that depend on other fields. */
export function fillInPodSpec(spec: JsonObject): void {
  for (const container of containersOf(spec)) {
    const { image, imagePullPolicy } = container;
    if (typeof image === 'string' && (imagePullPolicy === undefined || imagePullPolicy === ''))
      container['imagePullPolicy'] = isLatest(image) ? 'Always' : 'IfNotPresent';
    const ports: unknown[] = Array.isArray(container['ports']) ? container['ports'] : [];
    for (const port of ports)
      if (isJsonObject(port) && spec['hostNetwork'] === true) port['hostPort'] ??= port['containerPort'];
  }
}

/** An image without a tag is the latest; one with a digest is what it is. */
function isLatest(image: string): boolean {
  if (image.includes('@')) return false;
  const tag = /:([^:/]+)$/.exec(image)?.[1];
  return tag === undefined || tag === 'latest';
}

/** @param path of the spec */
export function podSpecCauses(spec: JsonObject, path: string): StatusCause[] {
  const required = (field: string): StatusCause => ({
    reason: 'FieldValueRequired',
    field: `${path}.${field}`,
    message: 'Required value',
  });
  const { containers } = spec;
  if (!Array.isArray(containers) || containers.length === 0) return [required('containers')];
  return containers.flatMap((container, index) =>
    isJsonObject(container) && (container['image'] ?? '') === ''
      ? [required(`containers[${index}].image`)]
      : [],
  );
}

const unlimited = 'BestEffort';

/** How a pod fares when its node runs short (`status.qosClass`), by what its containers ask for. */
export function qualityOfService(spec: JsonObject): 'Guaranteed' | 'Burstable' | 'BestEffort' {
  const classes = new Set(
    containersOf(spec).flatMap((container) => {
      const resources = isJsonObject(container['resources']) ? container['resources'] : {};
      const limits = isJsonObject(resources['limits']) ? resources['limits'] : {};
      const requests = isJsonObject(resources['requests']) ? resources['requests'] : {};
      return ['cpu', 'memory'].map((name) => {
        if (limits[name] === undefined) return requests[name] === undefined ? unlimited : 'Burstable';
        return (requests[name] ?? limits[name]) === limits[name] ? 'Guaranteed' : 'Burstable';
      });
    }),
  );
  if (classes.size > 1) return 'Burstable';
  return [...classes][0] ?? unlimited;
}
