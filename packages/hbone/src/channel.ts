import type { HandshakeProgress } from '@ambient/tls';
import type { IoBuffer } from '@ambient/linux';

/** An encrypted stream of bytes below an HBONE connection: a TLS session on a socket, or one inside another tunnel. */
export interface SecureChannel {
  readonly blocked: boolean;
  readonly lastError: Error | undefined;
  /** After `read`: nothing is left, so that only new readiness makes another read worth while. */
  readonly drained: boolean;
  handshake(): HandshakeProgress;
  read(into: IoBuffer, offset: number, length: number, toTheEnd: boolean): number;
  write(from: IoBuffer, offset: number, length: number): boolean;
  flush(): boolean;
  peerCertificate(): Buffer | undefined;
  verifiedChain(): Buffer[];
  /** The peer has told where it runs, or does not tell: a provisional congestion control ends, unless it is this machine. */
  peerIsElsewhere(): void;
  shutdown(): void;
  /** Frees the session and what carries it. */
  close(): void;
}
