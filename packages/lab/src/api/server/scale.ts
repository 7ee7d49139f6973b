import { methodNotAllowed, unknownPath, unsupportedMediaType } from '../errors.ts';
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { ObjectOperations } from '../operations/objects.ts';
import { requestContext } from '../operations/request.ts';
import type { Target } from '../operations/request.ts';
import { jsonPatch } from '../patch/json-patch.ts';
import { mergePatch } from '../patch/merge-patch.ts';
import type { ScalePaths } from '../resources/resource.ts';
import { mediaType, parseJsonBody, parseObjectBody, readBody, sendJson } from './exchange.ts';
import type { SubresourceHandler } from './subresources.ts';

/** The `scale` of any resource that has one: an `autoscaling/v1 Scale` in place of the object. */
export function scaleHandler(operations: ObjectOperations): SubresourceHandler {
  return async ({ target, user, query, request, response }) => {
    const paths = target.version.scale;
    if (paths === undefined) throw unknownPath();
    const whole: Target = { ...target, subresource: undefined };
    if (request.method === 'GET') {
      sendJson(response, 200, scaleOf(operations.get(whole), paths));
      return;
    }
    const type = mediaType(request);
    const body = await readBody(request);
    let next: (live: ApiObject) => unknown;
    if (request.method === 'PUT') {
      const scale = parseObjectBody(type, body);
      next = () => scale;
    } else if (request.method === 'PATCH') {
      const patch = parseJsonBody(body);
      if (type === 'application/json-patch+json') next = (live) => jsonPatch(scaleOf(live, paths), patch);
      else if (type === 'application/apply-patch+yaml') throw unsupportedMediaType(type, mergeTypes);
      // A Scale has no lists, so that a strategic patch of it is a plain one.
      else next = (live) => mergePatch(scaleOf(live, paths), patch);
    } else throw methodNotAllowed();
    const context = requestContext(user, query, request.headers['user-agent'] ?? '');
    const changed = await operations.change(whole, (live) => withScale(live, next(live), paths), context);
    sendJson(response, 200, scaleOf(changed, paths));
  };
}

const mergeTypes = [
  'application/json-patch+json',
  'application/merge-patch+json',
  'application/strategic-merge-patch+json',
];

function scaleOf(object: ApiObject, paths: ScalePaths): JsonObject {
  const { name, namespace, uid, resourceVersion, creationTimestamp } = object.metadata;
  const selector = paths.labelSelector === undefined ? undefined : valueAt(object, paths.labelSelector);
  return {
    kind: 'Scale',
    apiVersion: 'autoscaling/v1',
    metadata: { name, namespace, uid, resourceVersion, creationTimestamp },
    spec: { replicas: valueAt(object, paths.specReplicas) ?? 0 },
    status: {
      replicas: valueAt(object, paths.statusReplicas) ?? 0,
      ...(selector === undefined ? {} : { selector: selectorText(selector) }),
    },
  };
}

function selectorText(selector: unknown): string {
  if (typeof selector === 'string') return selector;
  if (!isJsonObject(selector)) return '';
  const labels = isJsonObject(selector['matchLabels']) ? selector['matchLabels'] : {};
  return Object.entries(labels)
    .map(([key, value]) => `${key}=${String(value)}`)
    .join(',');
}

function withScale(live: ApiObject, scale: unknown, paths: ScalePaths): ApiObject {
  const replicas = valueAt(scale, ['spec', 'replicas']) ?? 0;
  const resourceVersion = valueAt(scale, ['metadata', 'resourceVersion']);
  const changed = nest(live, paths.specReplicas, replicas) as ApiObject;
  return typeof resourceVersion === 'string' && resourceVersion !== ''
    ? { ...changed, metadata: { ...changed.metadata, resourceVersion } }
    : changed;
}

function nest(target: unknown, [key, ...rest]: readonly string[], value: unknown): unknown {
  if (key === undefined) return value;
  const object = isJsonObject(target) ? target : {};
  return { ...object, [key]: nest(object[key], rest, value) };
}
