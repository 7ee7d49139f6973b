import type { RevocationSet } from '@ambient/identity/peer';
import type { LocalWorkloadName, PackedUpdates } from '@ambient/mesh';
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
  /** Where it notes its descriptors, for the case that it is ended before it has closed them. */
  readonly descriptors: SharedArrayBuffer;
  /** Log thresholds as `LogLevels.toString` writes them. */
  readonly logLevels: string;
  readonly logFormat: LogFormat;
}

/** A pod whose traffic is carried, as workers are told of it (shared mode). */
export interface PodStart {
  /** Of this capture; a pod that comes back in another namespace is a new one. */
  readonly id: number;
  /** Kubernetes pod UID. */
  readonly uid: string;
  readonly name: LocalWorkloadName;
  /**
   * Trust domain of the identity that the pod acts under while the control plane has not told its workload: with `name`
   * all that the node agent's word is good for. For what the pod sends only; what it receives waits for its policies.
   */
  readonly trustDomain: string;
  /**
   * Descriptor of its network namespace, shared by the process and owned by the main thread, open until every worker has
   * said `pod-gone` or `pod-failed`.
   */
  readonly netnsFd: number;
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
  /** Listen in this pod's namespace, accepting after `start`: answered by `pod-ready` or `pod-failed`, once. */
  | { readonly kind: 'add-pod'; readonly pod: PodStart }
  /**
   * The pod is gone: its connections end by themselves (GOAWAY at once) until the deadline, then they are cut and the
   * listeners close. Answered by `pod-gone`, also for an id that has failed or was never heard of.
   */
  | { readonly kind: 'remove-pod'; readonly id: number; readonly deadlineMs: number }
  /** Asks for `collected` with the same id. */
  | { readonly kind: 'collect'; readonly id: number; readonly connections: CollectedConnections }
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

/** Which connections are reported: none, the live ones, or also those that have ended since this was asked for last. */
export type CollectedConnections = 'none' | 'live' | 'ended-too';

/** One live connection, for dumps and `top`. */
export interface ConnectionReport {
  /** `PodStart.id` of the pod that it belongs to, in shared mode. */
  readonly pod?: number;
  readonly direction: 'inbound' | 'outbound';
  readonly source: string;
  readonly destination: string;
  readonly actualDestination: string | undefined;
  /** What the client meant: outbound the address that it dialled, inbound the hostname of the service that it named. */
  readonly originalDestination?: string | undefined;
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

/** One that has ended, for `tap`. */
export interface EndedConnectionReport extends ConnectionReport {
  readonly endedAtMs: number;
  /** Stable code (docs/reasons.md); absent after an orderly end. */
  readonly reason?: string;
}

/** The ports of a pod's listeners, the same for all workers. */
export interface BoundPorts {
  readonly outbound: number;
  readonly inboundPlaintext: number;
  readonly inbound: number;
}

/** From a data worker to the main thread. */
export type FromWorker =
  /**
   * Listeners are bound; accepting begins with `start`. In shared mode there are none yet: it is said at once, with the
   * ports that listeners will have in every pod.
   */
  | { readonly kind: 'bound'; readonly ports: BoundPorts }
  /** Answer to `add-pod`: its listeners are bound. */
  | { readonly kind: 'pod-ready'; readonly id: number }
  /** Answer to `add-pod`: nothing of it is left in this worker. */
  | {
      readonly kind: 'pod-failed';
      readonly id: number;
      readonly message: string;
      /** The pod itself is the cause: it has one of the proxy's ports, or no address on its loopback. */
      readonly byPod: boolean;
    }
  /** Answer to `remove-pod`: nothing of it is left in this worker. */
  | { readonly kind: 'pod-gone'; readonly id: number }
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
      /** Where they were asked for. */
      readonly ended?: readonly EndedConnectionReport[];
    }
  /** Asks for the addresses of a hostname: answer by `resolved`. */
  | { readonly kind: 'resolve'; readonly id: number; readonly hostname: string }
  /** On-demand discovery: the key `network/ip` is not known here: answer by `demanded`. */
  | { readonly kind: 'demand'; readonly key: string }
  | { readonly kind: 'drained'; readonly cut: number }
  | { readonly kind: 'stopped' };
