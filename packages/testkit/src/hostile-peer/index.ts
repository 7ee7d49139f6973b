// @ambient/testkit/hostile-peer: an HTTP/2 peer over TLS that keeps to no rule, inside a network namespace of the lab.
export * from './frames.ts';
export { HostilePeer, HostilePeerError } from './peer.ts';
export type { Answer, Credentials, HandshakeOptions, PeerEnd } from './peer.ts';
export { HostileServer, nextRequest } from './server.ts';
export type { ServerScript } from './server.ts';
export { connectFrom, listenInside } from './sockets.ts';
