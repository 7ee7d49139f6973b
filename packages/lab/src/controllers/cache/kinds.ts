import type { FollowedKind } from '../objects.ts';

/** Where a kind stands in the API. */
export interface FollowedResource {
  readonly group: string;
  readonly plural: string;
  readonly namespaced: boolean;
  /** The one namespace that is followed. */
  readonly onlyIn?: string;
  /** The one name that is followed. */
  readonly onlyNamed?: string;
}

const apps = (plural: string): FollowedResource => ({ group: 'apps', plural, namespaced: true });
const core = (plural: string, namespaced = true): FollowedResource => ({ group: '', plural, namespaced });

/** The ConfigMap of each namespace that holds the certificate of the API server's authority. */
export const rootCaConfigMap = 'kube-root-ca.crt';

/** All of version v1. */
export const followedResources: Readonly<Record<FollowedKind, FollowedResource>> = {
  ConfigMap: { ...core('configmaps'), onlyNamed: rootCaConfigMap },
  ControllerRevision: apps('controllerrevisions'),
  DaemonSet: apps('daemonsets'),
  Deployment: apps('deployments'),
  EndpointSlice: { group: 'discovery.k8s.io', plural: 'endpointslices', namespaced: true },
  Job: { group: 'batch', plural: 'jobs', namespaced: true },
  Lease: {
    group: 'coordination.k8s.io',
    plural: 'leases',
    namespaced: true,
    onlyIn: 'kube-node-lease',
  },
  Namespace: core('namespaces', false),
  Node: core('nodes', false),
  Pod: core('pods'),
  PodDisruptionBudget: { group: 'policy', plural: 'poddisruptionbudgets', namespaced: true },
  ReplicaSet: apps('replicasets'),
  Service: core('services'),
  StatefulSet: apps('statefulsets'),
};

export const followedKinds = Object.keys(followedResources) as readonly FollowedKind[];

export function apiVersionOfKind(kind: FollowedKind): string {
  const { group } = followedResources[kind];
  return group === '' ? 'v1' : `${group}/v1`;
}
