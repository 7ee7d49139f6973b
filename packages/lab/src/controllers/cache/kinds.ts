import type { FollowedKind } from '../objects.ts';

const followed: Readonly<Record<FollowedKind, true>> = {
  ConfigMap: true,
  ControllerRevision: true,
  DaemonSet: true,
  Deployment: true,
  EndpointSlice: true,
  Job: true,
  Lease: true,
  Namespace: true,
  Node: true,
  Pod: true,
  PodDisruptionBudget: true,
  ReplicaSet: true,
  Service: true,
  StatefulSet: true,
};

export const followedKinds = Object.keys(followed) as readonly FollowedKind[];
