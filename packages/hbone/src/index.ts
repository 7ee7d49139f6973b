/** HBONE: tunnels of TCP bytes in HTTP/2 CONNECT over mutual TLS. */
export {
  HboneError,
  hboneFailures,
  refusedError,
  tunnelRefusals,
  type HboneFailure,
  type HboneReason,
  type ResponseFlag,
} from './errors.ts';
export { LOCAL_CONGESTION_CONTROL, defaultHboneSettings, type HboneSettings } from './settings.ts';
export {
  encodeBaggage,
  decodeBaggage,
  traceparentOf,
  type ConnectRequest,
  type WorkloadFacts,
} from './connect-headers.ts';
export { HboneTunnel, type TunnelSink } from './tunnel.ts';
export { LightTraffic, type Carrier } from './light-traffic.ts';
export { type ConnectionState } from './connection.ts';
export { ClientConnection, type ClientConnectionOwner, type VerifyPeer } from './client-connection.ts';
export { ServerConnection, TunnelOffer, type ServerConnectionOwner } from './server-connection.ts';
export { HbonePool, PoolDirectory, type PoolKey, type PoolRequest, type PendingTunnel } from './pool.ts';
