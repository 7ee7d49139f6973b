import { unknownPath } from '../errors.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import type { Target } from './request.ts';

/** Subresources of the namespace itself; anything else below a namespace is a resource in it. */
const ofNamespace = new Set(['status', 'finalize']);

/**
 * Reads `/api/v1/...` and `/apis/GROUP/VERSION/...`.
 *
 * @param path with its escapes
 * @returns undefined for a path that is not below a group version
 * @throws ApiError 404 for a resource that is not served
 */
export function parseResourcePath(registry: ResourceRegistry, path: string): Target | undefined {
  const segments = path.split('/').slice(1).map(unescape);
  if (segments.at(-1) === '') segments.pop();
  let group: string;
  let version: string;
  let rest: string[];
  if (segments[0] === 'api' && segments.length >= 3)
    [group, version, rest] = ['', segments[1]!, segments.slice(2)];
  else if (segments[0] === 'apis' && segments.length >= 4)
    [group, version, rest] = [segments[1]!, segments[2]!, segments.slice(3)];
  else return undefined;

  let namespace: string | undefined;
  if (
    rest[0] === 'namespaces' &&
    rest.length >= 3 &&
    !(group === '' && rest.length === 3 && ofNamespace.has(rest[2]!))
  ) {
    namespace = rest[1]!;
    rest = rest.slice(2);
  }
  const [plural, name, ...sub] = rest;
  const served = registry.find(group, version, plural!);
  if (served === undefined || (namespace !== undefined && !served.resource.namespaced)) throw unknownPath();
  if (served.resource.namespaced && namespace === undefined && name !== undefined) throw unknownPath();
  return { ...served, namespace, name, subresource: sub.length === 0 ? undefined : sub.join('/') };
}

function unescape(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw unknownPath();
  }
}
