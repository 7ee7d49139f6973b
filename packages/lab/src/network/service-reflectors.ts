import { HttpListWatch, kindResources, ReflectorGroup, resourcePath, trimObject } from '@ambient/kube';
import type { KindName, KubeClient, ObjectOf, ReflectorTarget } from '@ambient/kube';
import type { Logger } from '@ambient/runtime';

import type { ServiceDirectory } from './service-directory.ts';

/** What reflectors work with. */
interface Following {
  readonly client: KubeClient;
  readonly log: Logger;
}

/** Adds a kind to a group, in its first version. */
export function followKind<K extends KindName>(
  group: ReflectorGroup,
  { client, log }: Following,
  kind: K,
  target: ReflectorTarget<ObjectOf<K>>,
): void {
  const resource = kindResources[kind];
  const version = resource.versions[0]!;
  group.add<ObjectOf<K>>({
    source: new HttpListWatch({ client, path: resourcePath(resource, version) }),
    target,
    prepare: (raw) => trimObject(kind, version, raw),
    log,
  });
}

/** Reflectors that keep a directory of Services. */
export function serviceReflectors(following: Following, directory: ServiceDirectory): ReflectorGroup {
  const group = new ReflectorGroup();
  followKind(group, following, 'Service', directory.services);
  followKind(group, following, 'EndpointSlice', directory.endpointSlices);
  return group;
}
