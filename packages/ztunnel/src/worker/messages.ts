import type { RevocationSet } from '@ambient/identity/peer';
import type { PackedUpdates } from '@ambient/mesh';
import type { LogFormat, SeriesDelta } from '@ambient/runtime';
import type { ZtunnelSettings } from '../settings.ts';

/** A certificate as it crosses threads; the key never leaves the process. */
export interface CertificateMaterial {
  /** Own certificate first. */
  readonly certificateChainPem: readonly string[];
  readonly privateKeyPem: string;
  readonly rootsPem: readonly string[];
}

/** What a data worker is started with (`workerData`). */
export interface WorkerStart {
  readonly index: number;
  readonly settings: ZtunnelSettings;
  /** eventfd that wakes the worker's reactor after a message was posted to it. */
  readonly wakeupFd: number;
  /** Log thresholds as `LogLevels.toString` writes them. */
  readonly logLevels: string;
  readonly logFormat: LogFormat;
}

/** From the main thread to a data worker. After `postMessage` the sender notifies the worker's eventfd. */
export type ToWorker =
  /** Changes to the mesh, in order. */
  | { readonly kind: 'mesh'; readonly updates: PackedUpdates }
  /** The first complete state has been sent: start to accept. */
  | { readonly kind: 'start' }
  | { readonly kind: 'certificate'; readonly identity: string; readonly material: CertificateMaterial }
  /** No valid certificate and the fetch has failed: connections that wait for it fail with this text. */
  | { readonly kind: 'certificate-failed'; readonly identity: string; readonly message: string }
  /** Replaces the set; connections with a revoked peer are cut. */
  | { readonly kind: 'revocations'; readonly revocations: RevocationSet }
  | { readonly kind: 'log-levels'; readonly levels: string }
  /** Asks for `collected` with the same id. */
  | { readonly kind: 'collect'; readonly id: number; readonly connections: boolean }
  /** Answer to `resolve`: addresses in the order of preference; empty when the name does not resolve. */
  | {
      readonly kind: 'resolved';
      readonly id: number;
      readonly addresses: readonly string[];
      readonly error?: string;
    }
  /** Answer to `demand`: what is known of the key has been sent before this as `mesh`. */
  | { readonly kind: 'demanded'; readonly key: string }
  /** Stop accepting, say GOAWAY, let connections end; cut what is left after the deadline; then `drained`. */
  | { readonly kind: 'drain'; readonly deadlineMs: number }
  /** Cut everything and end: then `stopped`. */
  | { readonly kind: 'stop' };

/** One live connection, for dumps and `top`. */
export interface ConnectionReport {
  readonly direction: 'inbound' | 'outbound';
  readonly source: string;
  readonly destination: string;
  readonly actualDestination: string | undefined;
  readonly protocol: 'HBONE' | 'double-HBONE' | 'plaintext';
  readonly sourceIdentity: string | undefined;
  readonly destinationIdentity: string | undefined;
  readonly sourceWorkload: string | undefined;
  readonly destinationWorkload: string | undefined;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** Unix time in milliseconds. */
  readonly openedAtMs: number;
}

/** From a data worker to the main thread. */
export type FromWorker =
  /** Listeners are bound; accepting begins with `start`. */
  | {
      readonly kind: 'bound';
      readonly ports: { outbound: number; inboundPlaintext: number; inbound: number };
    }
  /** The worker cannot go on: it has closed everything and ends. */
  | { readonly kind: 'fatal'; readonly message: string }
  /** Formatted log lines, each with its line feed. */
  | { readonly kind: 'log'; readonly lines: string }
  /** A connection waits for a certificate of this SPIFFE id: answer by `certificate` or `certificate-failed`. */
  | { readonly kind: 'need-certificate'; readonly identity: string }
  | {
      readonly kind: 'collected';
      readonly id: number;
      readonly series: readonly SeriesDelta[];
      readonly connections: readonly ConnectionReport[];
    }
  /** Asks for the addresses of a hostname: answer by `resolved`. */
  | { readonly kind: 'resolve'; readonly id: number; readonly hostname: string }
  /** On-demand discovery: the key `network/ip` is not known here: answer by `demanded`. */
  | { readonly kind: 'demand'; readonly key: string }
  | { readonly kind: 'drained'; readonly cut: number }
  | { readonly kind: 'stopped' };
