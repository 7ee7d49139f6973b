// Public surface of @ambient/kube: how this project talks to a Kubernetes API.
export type {
  OwnerReference,
  ObjectMeta,
  KubeObject,
  Condition,
  LabelSelectorRequirement,
  LabelSelector,
  Namespace,
  Node,
  ContainerPort,
  Container,
  PodSpec,
  PodStatus,
  Pod,
  ServicePort,
  ServiceSpec,
  ServiceStatus,
  Service,
  ObjectReference,
  Endpoint,
  EndpointSlicePort,
  EndpointSlice,
  WorkloadEntrySpec,
  WorkloadEntry,
  ServiceEntryPort,
  ServiceEntrySpec,
  ServiceEntryStatus,
  ServiceEntry,
  GatewayListener,
  GatewaySpec,
  GatewayStatus,
  Gateway,
  GatewayClass,
  PolicySelector,
  PolicyTargetReference,
  AuthorizationSource,
  AuthorizationOperation,
  AuthorizationCondition,
  AuthorizationRule,
  AuthorizationPolicySpec,
  AuthorizationPolicy,
  MutualTls,
  PeerAuthenticationSpec,
  PeerAuthentication,
  ConfigMap,
  KubeObjects,
  KindName,
  ObjectOf,
} from './objects.ts';
export type {
  BackendReference,
  ParentReference,
  ReferenceGrant,
  Route,
  RouteParentStatus,
} from './route-objects.ts';
export { kindResources, kindNames, apiVersionOf, resourcePath } from './kinds.ts';
export type { KindResource } from './kinds.ts';
export { KubeConfigError, KubeConnectionError, KubeStatusError, isPassing, isRecord } from './errors.ts';
export { builtInPath, builtInApiVersion } from './built-in.ts';
export type { BuiltInResource } from './built-in.ts';
export { KubeConnection } from './connection.ts';
export type { PreparedRequest } from './connection.ts';
export { patchType, KubeClient } from './client.ts';
export type { KubeCaller, KubeClientOptions, KubeRequest, Query } from './client.ts';
export { LineSplitter } from './line-splitter.ts';
export { HttpListWatch } from './list-watch.ts';
export type { ListPage, WatchEvent, ListWatch, HttpListWatchOptions } from './list-watch.ts';
export { Reflector } from './reflector.ts';
export type { ReflectorTarget, ReflectorOptions, ReflectorState } from './reflector.ts';
export { mapTarget } from './map-target.ts';
export { ReflectorGroup } from './reflector-group.ts';
export { trimObject, objectKey } from './trim.ts';
export { statusRequest, ApplyQueue } from './apply.ts';
export type { ApplyRequest, ApplyFailure, ApplyQueueOptions } from './apply.ts';
export { LeaderElection, HttpLeaseApi } from './lease.ts';
export type { LeaseApi, LeaderElectionOptions } from './lease.ts';
export type { Lease } from './lease-record.ts';
export { ClockDifference } from './clock-difference.ts';
export { hasLabels, matchesLabelSelector } from './label-selector.ts';
export { matchesNodeSelection, matchesNodeSelectorTerm } from './node-selector.ts';
export type { NodeSelection, NodeSelectorTerm } from './node-selector.ts';
export { formatTime, formatMicroTime } from './time.ts';
