import { kindResources, resourcePath } from './kinds.ts';

/** What the path of a collection needs; '' is the core API. */
export interface BuiltInResource {
  readonly group: string;
  readonly plural: string;
  readonly namespaced: boolean;
}

const core = (plural: string): BuiltInResource => ({ group: '', plural, namespaced: true });
const apps = (plural: string): BuiltInResource => ({ group: 'apps', plural, namespaced: true });

/** Kinds that every Kubernetes API has in version v1, as far as this project asks for them by name. */
export const builtInResources = {
  Namespace: kindResources.Namespace,
  Node: kindResources.Node,
  Pod: kindResources.Pod,
  Service: kindResources.Service,
  ConfigMap: kindResources.ConfigMap,
  EndpointSlice: kindResources.EndpointSlice,
  Event: core('events'),
  Secret: core('secrets'),
  ServiceAccount: core('serviceaccounts'),
  ControllerRevision: apps('controllerrevisions'),
  DaemonSet: apps('daemonsets'),
  Deployment: apps('deployments'),
  ReplicaSet: apps('replicasets'),
  StatefulSet: apps('statefulsets'),
  Job: { group: 'batch', plural: 'jobs', namespaced: true },
  Lease: { group: 'coordination.k8s.io', plural: 'leases', namespaced: true },
  NetworkPolicy: { group: 'networking.k8s.io', plural: 'networkpolicies', namespaced: true },
  PodDisruptionBudget: { group: 'policy', plural: 'poddisruptionbudgets', namespaced: true },
} as const satisfies Readonly<Record<string, BuiltInResource>>;

export type BuiltInKind = keyof typeof builtInResources;

/** Path of a collection, or of one object in it; `namespace` is ignored for kinds of the cluster. */
export function builtInPath(kind: BuiltInKind, namespace?: string, name?: string): string {
  return resourcePath(builtInResources[kind], 'v1', namespace, name);
}

/** `v1`, or `apps/v1`. */
export function builtInApiVersion(kind: BuiltInKind): string {
  const { group } = builtInResources[kind];
  return group === '' ? 'v1' : `${group}/v1`;
}
