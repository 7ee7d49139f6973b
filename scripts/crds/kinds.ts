import type { Kind } from './definition.ts';
import { gateway, gatewayClass, listenerSet, mesh } from './gateway-api/gateway.ts';
import { httpRoute } from './gateway-api/http-route.ts';
import { grpcRoute, tcpRoute, tlsRoute, udpRoute } from './gateway-api/other-routes.ts';
import { backendTlsPolicy, referenceGrant } from './gateway-api/policies.ts';
import { destinationRule } from './istio/destination-rule.ts';
import { trafficExtension, wasmPlugin } from './istio/extensions.ts';
import { istioGateway } from './istio/gateway.ts';
import { envoyFilter, proxyConfig } from './istio/proxy.ts';
import { authorizationPolicy, peerAuthentication, requestAuthentication } from './istio/security.ts';
import { serviceEntry } from './istio/service-entry.ts';
import { sidecar } from './istio/sidecar.ts';
import { telemetry } from './istio/telemetry.ts';
import { virtualService } from './istio/virtual-service.ts';
import { workloadEntry, workloadGroup } from './istio/workload.ts';

/** Every kind that the chart defines. */
export const kinds: readonly Kind[] = [
  serviceEntry,
  workloadEntry,
  workloadGroup,
  virtualService,
  destinationRule,
  istioGateway,
  sidecar,
  envoyFilter,
  proxyConfig,
  authorizationPolicy,
  peerAuthentication,
  requestAuthentication,
  telemetry,
  wasmPlugin,
  trafficExtension,
  gatewayClass,
  gateway,
  listenerSet,
  httpRoute,
  grpcRoute,
  tlsRoute,
  tcpRoute,
  udpRoute,
  referenceGrant,
  backendTlsPolicy,
  mesh,
];
