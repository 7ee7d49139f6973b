// Public surface of @ambient/mesh.
export * from './types.ts';
export { canonicalIp, Cidr, formatIp, ipFromBytes, ipToBytes, parseIp } from './ip.ts';
export type { IpFamily } from './ip.ts';
export { matchWith, policyWith, serviceWith, workloadWith } from './defaults.ts';
export { principalName, samePrincipal, workloadIdentity } from './identity.ts';
export type { Principal } from './identity.ts';
export { validatePolicy, validateService, validateWorkload } from './validate.ts';
export type { Problem } from './validate.ts';
export { MeshStore } from './store.ts';
export { plainWorkload } from './stored-workload.ts';
export { UpdatePacker, UpdateUnpacker } from './packed-updates.ts';
export type { PackedUpdates, PackedWorkload } from './packed-updates.ts';
export type { LocalWorkloadName, MeshChange, MeshDestination } from './store.ts';
export type { EndpointCensus, KnownService, ServiceEndpoints } from './service-endpoints.ts';
export { authorize, explainVerdict } from './authorize.ts';
export type { AuthorizeStep, DenialReason, Verdict } from './authorize.ts';
export type { PolicyConnection } from './compile-policy.ts';
export { chooseRoute } from './choose-route.ts';
export type { RouteCall } from './next-hop.ts';
export { describeRoute } from './describe-route.ts';
export { nextHop, withResolvedAddress } from './route.ts';
export type {
  DirectRoute,
  DoubleHboneRoute,
  HboneRoute,
  PassthroughRoute,
  RefusedRoute,
  Route,
  RouteStep,
  SocketAddress,
} from './route.ts';
export { guessInboundService, parseAuthority, refusePlaintextInbound, resolveInbound } from './inbound.ts';
export type { Authority, InboundRefused, InboundRequest, InboundTarget } from './inbound.ts';
export { inboundRefusals, routeRefusals } from './refusals.ts';
export type { InboundRefusal, RouteRefusal } from './refusals.ts';
