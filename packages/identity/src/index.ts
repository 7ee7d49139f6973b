// Public surface of @ambient/identity, for the main thread. Data workers import @ambient/identity/peer.
export * from './peer.ts';

export type { KeyPair } from './key-pair.ts';
export { generateKeyPair, privateKeyPem } from './key-pair.ts';
export type { SigningRequest } from './csr.ts';
export { createCsr, CsrError, parseCsr } from './csr.ts';
export { splitPem } from './pem.ts';

export type {
  CertificateDump,
  CertificateMessage,
  CertificateReply,
  CertificateReplyCode,
} from './certificate.ts';
export {
  CertificateReplyError,
  dumpCertificates,
  readCertificateReply,
  WorkloadCertificate,
} from './certificate.ts';

export type { CertificateAuthority } from './certificate-authority.ts';
export type { CaErrorCode } from './ca-error.ts';
export { CaError } from './ca-error.ts';
export type { RootSource, TokenSource } from './ca-credentials.ts';
export type { CaTransport, CreateCertificateCall } from './ca-transport.ts';
export type { CaClientOptions } from './ca-client.ts';
export { CaClient } from './ca-client.ts';
export type { GrpcCaTransportOptions } from './grpc-ca-transport.ts';
export { GrpcCaTransport } from './grpc-ca-transport.ts';

export type { FakeCaOptions, FakeCertificateOptions } from './fake-ca.ts';
export { FakeCa, fakeCaWarning } from './fake-ca.ts';
export { FakeCaDirectoryError } from './fake-ca-directory.ts';

export type { FetchPriority } from './fetch-queue.ts';
export type { CertificateCacheOptions, CertificateEvent, CertificateListener } from './certificate-cache.ts';
export type { CertificateState, CertificateStateDump } from './certificate-state.ts';
export { CertificateCache, CertificateUnavailableError } from './certificate-cache.ts';

export type { RevocationFileOptions, RevocationState } from './revocation.ts';
export { RevocationFile, RevocationFileError } from './revocation.ts';
export { WatchedFile } from './watched-file.ts';
