/** Mutual TLS over OpenSSL. No policy: names and identities are checked by the caller. */
export { TlsContext, type TlsContextOptions } from './context.ts';
export { TlsSession, type HandshakeProgress } from './session.ts';
export { TlsError, type TlsFailure } from './errors.ts';
export { MAX_WRITE_BYTES } from './write-ring.ts';
