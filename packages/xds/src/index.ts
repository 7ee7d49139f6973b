// Public surface of @ambient/xds: where the mesh comes from.
export { FieldError, LocalSourceError, RejectedResourceError, XdsStreamError } from './errors.ts';

export { addressResourceToMesh, authorizationResourceToMesh, updateKey } from './convert/to-mesh.ts';
export { policyToMesh } from './convert/policy-to-mesh.ts';
export { addressResource, authorizationResource } from './convert/from-mesh.ts';

export type {
  DeltaClientOptions,
  DeltaClientStatus,
  DeltaStream,
  DeltaStreamEvents,
  DeltaTransport,
  XdsMetrics,
} from './delta/delta-client.ts';
export { DeltaClient } from './delta/delta-client.ts';
export type { DeltaRequest, DeltaResponse, Reception, TypeStatus } from './delta/delta-state.ts';
export type { GrpcTransportOptions } from './delta/grpc-transport.ts';
export { GrpcTransport } from './delta/grpc-transport.ts';
export type { NodeOptions } from './delta/node.ts';
export { discoveryNode } from './delta/node.ts';
export type { TerminationReason } from './delta/reconnect.ts';
export type { ServerTrust } from './delta/server-trust.ts';

export type { LocalConfig } from './local/local-config.ts';
export { parseLocalConfig } from './local/local-config.ts';
export type { LocalDocument, LocalSourceOptions, LocalSourceStatus } from './local/local-source.ts';
export { LocalSource } from './local/local-source.ts';

export type { DumpedEndpoint, Json } from './dump.ts';
export { dumpEndpoint, dumpPolicy, dumpService, dumpWorkload } from './dump.ts';
