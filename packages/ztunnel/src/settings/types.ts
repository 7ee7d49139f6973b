import type { LogFormat } from '@ambient/runtime';
import type { WorkloadName } from './value-types.ts';
import type { WithoutEffect } from './without-effect.ts';

/** Where root certificates for a server come from. */
export type RootCertSource =
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'pem'; readonly pem: string }
  | { readonly kind: 'system' };

/** The bearer token for the control plane and the CA. */
export type TokenSource =
  | { readonly kind: 'none' }
  | { readonly kind: 'file'; readonly path: string }
  | { readonly kind: 'literal'; readonly token: string };

export type LocalXdsSource =
  { readonly kind: 'file'; readonly path: string } | { readonly kind: 'inline'; readonly yaml: string };

/** A header or metadata entry that is added to every call; the name is in lower case. */
export type ExtraHeader = readonly [name: string, value: string];

export interface ZtunnelPorts {
  readonly outbound: number;
  readonly inboundPlaintext: number;
  readonly inboundHbone: number;
  readonly socks5: number;
  readonly dns: number;
  readonly admin: number;
  readonly stats: number;
  readonly readiness: number;
}

/** The ports that Istio's redirection rules and charts expect. */
export const standardPorts: ZtunnelPorts = {
  outbound: 15001,
  inboundPlaintext: 15006,
  inboundHbone: 15008,
  socks5: 15080,
  dns: 15053,
  admin: 15000,
  stats: 15020,
  readiness: 15021,
};

/**
 * Everything that the node proxy is told from outside. Plain data: it survives a structured clone, so that data workers
 * get it as it is. Times are milliseconds, sizes bytes.
 */
export interface ZtunnelSettings {
  readonly mode: 'shared' | 'dedicated';
  readonly proxyEnabled: boolean;
  /** The one workload of dedicated mode; undefined in shared mode. */
  readonly dedicatedWorkload: WorkloadName | undefined;
  /** The proxy's own pod, if the environment names it whole: shared mode serves HBONE for it too. */
  readonly ownWorkload: WorkloadName | undefined;
  readonly ports: ZtunnelPorts;
  readonly ipv6Enabled: boolean;
  readonly workerThreads: number;
  readonly drainDeadlineMs: number;
  readonly log: { readonly levels: string; readonly format: LogFormat };
  readonly place: {
    readonly network: string;
    readonly nodeName: string;
    readonly clusterId: string;
    readonly clusterDomain: string;
    readonly trustDomain: string;
    readonly podName: string;
    readonly podNamespace: string;
    readonly serviceAccount: string;
    readonly instanceIp: string | undefined;
    readonly preferredServiceNamespace: string | undefined;
  };
  /** Metadata of the xDS node besides what the client derives itself: `CLUSTER_ID`, `ISTIO_VERSION` and others. */
  readonly metadata: Readonly<Record<string, string>>;
  /** The same for structured values (`ISTIO_METAJSON_`). */
  readonly jsonMetadata: Readonly<Record<string, unknown>>;
  readonly xds: {
    /** With its scheme; undefined: no control plane. */
    readonly address: string | undefined;
    readonly rootCert: RootCertSource;
    readonly altHostname: string | undefined;
    readonly headers: readonly ExtraHeader[];
    readonly onDemand: boolean;
    readonly local: LocalXdsSource | undefined;
  };
  readonly ca: {
    /** With its scheme; undefined only with the throwaway CA. */
    readonly address: string | undefined;
    readonly rootCert: RootCertSource;
    readonly altHostname: string | undefined;
    readonly headers: readonly ExtraHeader[];
    readonly secretTtlMs: number;
    /** Directory of the throwaway CA; undefined: a real one is asked. */
    readonly fakeCaDir: string | undefined;
  };
  /** The last mesh on this node's disk, for a start without the control plane; undefined: none is kept. */
  readonly snapshot:
    { readonly path: string; readonly keyPath: string; readonly maxAgeMs: number } | undefined;
  readonly token: TokenSource;
  readonly tls: {
    readonly tls12Enabled: boolean;
    readonly compliancePolicy: 'pqc' | undefined;
    readonly crlPath: string | undefined;
  };
  readonly http2: {
    readonly streamWindow: number;
    readonly connectionWindow: number;
    readonly frameSize: number;
  };
  readonly pool: { readonly maxStreamsPerConnection: number; readonly unusedReleaseMs: number };
  readonly socket: {
    readonly keepalive:
      { readonly timeMs: number; readonly intervalMs: number; readonly retries: number } | undefined;
    readonly userTimeoutEnabled: boolean;
    readonly packetMark: number | undefined;
    readonly originalSource: 'auto' | 'required' | 'off';
  };
  readonly dns: {
    readonly enabled: boolean;
    /** `localhost` means 127.0.0.1 and, where the namespace has it, ::1. */
    readonly host: string;
    readonly port: number;
    /** Names the servers for what the mesh does not answer. */
    readonly resolvConfPath: string;
  };
  /** Descriptors that the process may have, and the most sockets of one pod in one worker (Infinity: as many as are free). */
  readonly descriptors: { readonly limit: number; readonly perPod: number };
  readonly inpod: { readonly udsPath: string };
  readonly localhostAppTunnel: boolean;
  readonly responseBaggage: boolean;
  readonly authzPolicyInfoLogging: boolean;
  /** Whether pods may use the port for SOCKS5. */
  readonly socks5: boolean;
  readonly withoutEffect: readonly WithoutEffect[];
}
