// Public surface of @ambient/identity, for the main thread. Data workers import @ambient/identity/peer.
export * from './peer.ts';
