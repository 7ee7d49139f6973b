/** Mutual TLS over OpenSSL. No policy: names and identities are checked by the caller. */
export { TlsContext, type TlsContextOptions } from './context.ts';
export { TlsSession } from './session.ts';
export { MemoryTlsSession } from './memory-session.ts';
export { type HandshakeProgress } from './session-core.ts';
export { TlsError, tlsFailures, type TlsFailure } from './errors.ts';
export { MAX_WRITE_BYTES } from './write-ring.ts';
