// Public surface of @ambient/xds/server: serving discovery. Apart from the client, so that a proxy does not load it.
export type { ChangeSet, ResourceTableOptions, ServedResource, TableEntry } from './resource-table.ts';
export { ResourceTable } from './resource-table.ts';
export type { StreamHoldings, StreamTypeStatus } from './delta-stream.ts';
export type { DeltaServerLimits, DeltaServerOptions, StreamEvents } from './delta-server.ts';
export { DeltaServer } from './delta-server.ts';
export type { ConnectionStatus, DeltaServerMetrics, StreamTransport } from './session.ts';
export type { ClientIdentity, ClientNode } from './node-check.ts';
export type { Authenticate, CallPeer, StateOfTheWorldCall } from './grpc-server.ts';
export { addDiscoveryService, discoveryServerOptions, refuseStateOfTheWorld } from './grpc-server.ts';
export type { RefusalCode } from './refusal.ts';
export { DiscoveryRefusal } from './refusal.ts';
