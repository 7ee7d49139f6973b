// What data workers need of @ambient/identity: pure, synchronous, and free of gRPC and ASN.1 libraries.
export type { Identity } from './spiffe.ts';
export { formatSpiffe, parseSpiffe } from './spiffe.ts';
export type { PeerCertificate } from './peer-certificate.ts';
export {
  clientAuth,
  MalformedCertificateError,
  parsePeerCertificate,
  serverAuth,
} from './peer-certificate.ts';
export type { AcceptedClient, AcceptedServer, PeerRefusal, RefusedPeer } from './verify-peer.ts';
export { peerRefusals, verifyClientPeer, verifyServerPeer } from './verify-peer.ts';
export type { RevocationSet, RevokedSerials } from './revocation-set.ts';
export { findRevoked, nothingRevoked } from './revocation-set.ts';
