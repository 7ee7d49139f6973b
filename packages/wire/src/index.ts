/**
 * Messages of the mesh's wire protocols, as `proto/` defines them. No logic.
 *
 * Every message `M` has `M.encode(plainOrMessage).finish()` and `M.decode(bytes)`; `IM` is its plain shape. Field names are
 * camelCase. Decoding skips unknown fields, leaves unknown enum values as their numbers, and throws (a `RangeError`, or a
 * `ProtocolError` of protobufjs) on truncated or malformed bytes: callers wrap that in an error of their own.
 * 64-bit integers are numbers. Absent message fields are `null` or `undefined`; absent scalars are their zero value.
 */
export { envoy, google, istio } from './generated/messages.js';

/** Resource types of the discovery protocol: `DeltaDiscoveryRequest.type_url` and `Any.type_url`. */
export const typeUrl = {
  address: 'type.googleapis.com/istio.workload.Address',
  authorization: 'type.googleapis.com/istio.security.Authorization',
} as const;

/** Paths of the gRPC methods, as `:path` has them. */
export const grpcMethod = {
  streamAggregatedResources:
    '/envoy.service.discovery.v3.AggregatedDiscoveryService/StreamAggregatedResources',
  deltaAggregatedResources: '/envoy.service.discovery.v3.AggregatedDiscoveryService/DeltaAggregatedResources',
  createCertificate: '/istio.v1.auth.IstioCertificateService/CreateCertificate',
} as const;
