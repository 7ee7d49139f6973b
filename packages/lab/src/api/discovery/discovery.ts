/** What the API says of itself: groups, versions and resources, in the old form and the aggregated one. */
import type { JsonObject } from '../object.ts';
import { byStability } from '../resources/registry.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { Resource, ServedResource } from '../resources/resource.ts';

const verbs = ['create', 'delete', 'deletecollection', 'get', 'list', 'patch', 'update', 'watch'];

/** Names of the subresources of a resource beside status and scale. */
export type OtherSubresources = (resource: Resource) => readonly string[];

/** A `meta/v1 APIGroup`. */
export function groupOf(registry: ResourceRegistry, group: string): JsonObject | undefined {
  const versions = registry.groups().get(group);
  if (versions === undefined) return undefined;
  const named = versions.map((version) => ({ groupVersion: apiVersionOf(group, version), version }));
  return { name: group, versions: named, preferredVersion: named[0] };
}

export function groupList(registry: ResourceRegistry): JsonObject {
  const groups = [...registry.groups().keys()].filter((group) => group !== '');
  return {
    kind: 'APIGroupList',
    apiVersion: 'v1',
    groups: groups.map((group) => groupOf(registry, group)),
  };
}

/** A `meta/v1 APIResourceList`, or undefined if the version is not served. */
export function resourceList(
  registry: ResourceRegistry,
  group: string,
  version: string,
  others: OtherSubresources,
): JsonObject | undefined {
  const served = registry.inVersion(group, version);
  if (served.length === 0) return undefined;
  return {
    kind: 'APIResourceList',
    apiVersion: 'v1',
    groupVersion: apiVersionOf(group, version),
    resources: served.flatMap((each) => [
      resourceEntry(each),
      ...subresources(each, others).map(({ name, kind, verbs: subVerbs }) => ({
        name: `${each.resource.plural}/${name}`,
        singularName: '',
        namespaced: each.resource.namespaced,
        ...kind,
        verbs: subVerbs,
      })),
    ]),
  };
}

function resourceEntry({ resource }: ServedResource): JsonObject {
  return {
    name: resource.plural,
    singularName: resource.singular,
    namespaced: resource.namespaced,
    kind: resource.kind,
    verbs: resource.reviewOnly ? ['create'] : verbs,
    ...(resource.shortNames.length === 0 ? {} : { shortNames: resource.shortNames }),
    ...(resource.categories.length === 0 ? {} : { categories: resource.categories }),
  };
}

interface Subresource {
  readonly name: string;
  readonly kind: { readonly kind: string; readonly group?: string; readonly version?: string };
  readonly verbs: readonly string[];
}

/** Parts whose objects are of another kind, or that cannot be read. */
const known: Readonly<Record<string, Omit<Subresource, 'name'>>> = {
  token: {
    kind: { group: 'authentication.k8s.io', version: 'v1', kind: 'TokenRequest' },
    verbs: ['create'],
  },
  eviction: { kind: { group: 'policy', version: 'v1', kind: 'Eviction' }, verbs: ['create'] },
  binding: { kind: { kind: 'Binding' }, verbs: ['create'] },
  log: { kind: { kind: 'Pod' }, verbs: ['get'] },
  exec: { kind: { kind: 'PodExecOptions' }, verbs: ['create', 'get'] },
  attach: { kind: { kind: 'PodAttachOptions' }, verbs: ['create', 'get'] },
  portforward: { kind: { kind: 'PodPortForwardOptions' }, verbs: ['create', 'get'] },
};

const changeable = ['get', 'patch', 'update'];

function subresources({ resource, version }: ServedResource, others: OtherSubresources): Subresource[] {
  return [
    ...(version.status ? [{ name: 'status', kind: { kind: resource.kind }, verbs: changeable }] : []),
    ...(version.scale === undefined
      ? []
      : [{ name: 'scale', kind: { group: 'autoscaling', version: 'v1', kind: 'Scale' }, verbs: changeable }]),
    ...others(resource).map((name) => ({
      name,
      ...(known[name] ?? { kind: { kind: resource.kind }, verbs: ['create', 'get'] }),
    })),
  ];
}

/** `apidiscovery.k8s.io/v2 APIGroupDiscoveryList` of the core group, or of all others. */
export function aggregated(registry: ResourceRegistry, core: boolean, others: OtherSubresources): JsonObject {
  const groups = [...registry.groups()].filter(([group]) => (group === '') === core);
  return {
    kind: 'APIGroupDiscoveryList',
    apiVersion: 'apidiscovery.k8s.io/v2',
    metadata: {},
    items: groups.map(([group, versions]) => ({
      metadata: { ...(group === '' ? {} : { name: group }), creationTimestamp: null },
      versions: [...versions].sort(byStability).map((version) => ({
        version,
        freshness: 'Current',
        resources: registry.inVersion(group, version).map((served) => ({
          resource: served.resource.plural,
          responseKind: { group, version, kind: served.resource.kind },
          scope: served.resource.namespaced ? 'Namespaced' : 'Cluster',
          singularResource: served.resource.singular,
          verbs: served.resource.reviewOnly ? ['create'] : verbs,
          shortNames: served.resource.shortNames,
          categories: served.resource.categories,
          subresources: subresources(served, others).map(({ name, kind, verbs: subVerbs }) => ({
            subresource: name,
            responseKind: { group, version, ...kind },
            verbs: subVerbs,
          })),
        })),
      })),
    })),
  };
}

/** The Kubernetes release whose API this one resembles. */
export const kubernetesVersion: JsonObject = {
  major: '1',
  minor: '34',
  gitVersion: 'v1.34.0+lab',
  gitCommit: '',
  gitTreeState: 'clean',
  buildDate: '1970-01-01T00:00:00Z',
  goVersion: '',
  compiler: '',
  platform: 'linux/amd64',
};
