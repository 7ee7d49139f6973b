import type { HbonePool, HboneSettings } from '@ambient/hbone';
import type { RevocationSet } from '@ambient/identity/peer';
import type { DialOptions, KeepAlive, Reactor, SocketAddress } from '@ambient/linux';
import type { MeshStore, Workload } from '@ambient/mesh';
import type { Logger } from '@ambient/runtime';
import type { LiveConnections } from '../connections/live-connections.ts';
import type { DnsWorker } from '../dns/dns-proxy.ts';
import type { ZtunnelSettings } from '../settings.ts';
import type { CaptureProof } from './capture-proof.ts';
import type { CertificateStore } from './certificate-store.ts';

/** Finds the workload that the proxy acts for: the pod in whose network namespace a listener stands. */
export interface LocalWorkloads {
  /** Calls `use` once the control plane has told the workload, or with undefined after 5 s. */
  find(use: (workload: Workload | undefined) => void): void;
  /** As `find`, for what the pod sends: after a second, what the node agent says of the pod will do. */
  findSender(use: (workload: Workload | undefined) => void): void;
  /** The workload where it is known already. */
  readonly current: Workload | undefined;
  /** The workload as whom the pod sends, where that is known already. */
  readonly sender: Workload | undefined;
}

/** What all pods of a worker share. */
export interface SharedContext {
  readonly settings: ZtunnelSettings;
  readonly hbone: HboneSettings;
  readonly keepAlive: KeepAlive | undefined;
  readonly store: MeshStore;
  readonly certificates: CertificateStore;
  /** Of scope `proxy`. */
  readonly log: Logger;
  /** Of scope `policy`. */
  readonly policyLog: Logger;
  readonly revocations: () => RevocationSet;
  /** What the pods' DNS proxies share; undefined where DNS is off. */
  readonly dns: DnsWorker | undefined;
  /** Ports on which the proxy listens, which applications may not call. */
  readonly selfPorts: readonly number[];
  /** Resolves a hostname in the main thread. */
  resolve(hostname: string, use: (addresses: readonly string[], error: string | undefined) => void): void;
  /** On-demand discovery: calls `use` when everything known about the address is in the store. At once where discovery is complete. */
  demand(destination: SocketAddress, use: () => void): void;
  /** Trace context of a new connection. */
  traceparent(): string;
  /** `baggage` that describes a workload. */
  baggageOf(workload: Workload): string;
  /** A hostname is resolved because the workload that `source` calls has no address. */
  countOnDemandDns(source: Workload, hostname: string): void;
  /** The revocation list has refused a handshake. */
  countRevoked(reporter: 'source' | 'destination'): void;
}

/** What every stage of a connection's way needs from its worker: the view of one pod. */
export interface WorkerContext extends SharedContext {
  /** The pod's share of the worker's time. */
  readonly reactor: Reactor;
  /** Tunnels of this pod, which never carry another one's traffic. */
  readonly pool: HbonePool;
  /** Connections of this pod. */
  readonly connections: LiveConnections;
  /** Answers the node agent, which makes sure that the pod is captured. */
  readonly captureProof: CaptureProof;
  /** Of every socket that carries this pod's traffic: its mark, the network namespace that it stands in, and what it counts under. */
  readonly dialOptions: Pick<DialOptions, 'mark' | 'namespace' | 'quota'>;
}
