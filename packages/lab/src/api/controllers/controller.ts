import type { DeleteOptions } from '../operations/delete-options.ts';
import type { Target } from '../operations/request.ts';
import type { ResourceRegistry } from '../resources/registry.ts';

export const backgroundDeletion: DeleteOptions = {
  gracePeriodSeconds: undefined,
  propagationPolicy: 'Background',
  uid: undefined,
  resourceVersion: undefined,
  dryRun: false,
};

/** A resource by its name in the store, in its storage version or else in the first that is served. */
export function targetOf(
  registry: ResourceRegistry,
  key: string,
  namespace: string | undefined,
): Target | undefined {
  const dot = key.indexOf('.');
  const resource = registry.get(key.slice(dot + 1), key.slice(0, dot));
  const version =
    resource?.versions.find((each) => each.name === resource.storageVersion) ?? resource?.versions[0];
  if (resource === undefined || version === undefined || resource.reviewOnly) return undefined;
  return { resource, version, namespace, name: undefined, subresource: undefined };
}
