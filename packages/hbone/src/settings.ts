import type { LocalSettings } from '@ambient/http';

/** Dimensions of HBONE connections; the defaults are those of Istio's ztunnel, so that either end may be replaced. */
export interface HboneSettings {
  /** Bytes that a peer may send on one tunnel before we have handed them on. */
  readonly streamWindowBytes: number;
  readonly connectionWindowBytes: number;
  readonly maxFrameBytes: number;
  /** Received and not handed on, over all tunnels of a connection, beyond which its peer has to wait. */
  readonly maxHeldBytes: number;
  /** Tunnels in one pooled connection. */
  readonly maxTunnelsPerConnection: number;
  /** Tunnels that a server admits in one connection. */
  readonly serverMaxTunnels: number;
  readonly dialTimeoutMs: number;
  /** From TCP connection to the peer's first HTTP/2 SETTINGS. */
  readonly handshakeTimeoutMs: number;
  readonly pingIntervalMs: number;
  readonly pingTimeoutMs: number;
  /** A pooled connection takes no new tunnels while its server has been silent for so long after a PING. */
  readonly doubtMs: number;
  /** A pooled connection without tunnels is closed after this. */
  readonly idleReleaseMs: number;
  /** Unsent bytes that the kernel may hold per connection before we keep them back: bounds queueing delay. */
  readonly unsentLowWaterBytes: number;
  /** The same for all proxies under one kernel, 32 bits; undefined: it is not told, and nobody is taken for a neighbour. */
  readonly machineId?: number | undefined;
}

export const defaultHboneSettings: HboneSettings = {
  streamWindowBytes: 4 * 1024 * 1024,
  connectionWindowBytes: 16 * 1024 * 1024,
  maxFrameBytes: 1024 * 1024,
  maxHeldBytes: 64 * 1024 * 1024,
  maxTunnelsPerConnection: 100,
  serverMaxTunnels: 200,
  dialTimeoutMs: 10_000,
  handshakeTimeoutMs: 10_000,
  pingIntervalMs: 10_000,
  pingTimeoutMs: 20_000,
  doubtMs: 2000,
  idleReleaseMs: 5 * 60_000,
  unsentLowWaterBytes: 512 * 1024,
};

/** Identifier of the HTTP/2 setting by which a proxy tells on which machine it runs (decision 22). */
export const MACHINE_SETTING = 0xf3a7;
/**
 * Congestion control of connections that never leave the machine, towards applications and between proxies: nothing is lost
 * there, and BBR, if the machine has chosen that, sends by timers there as well (decision 20). The kernel always has this one.
 */
export const LOCAL_CONGESTION_CONTROL = 'reno';

const CLIENT_HEADER_LIST_BYTES = 16 * 1024;
const SERVER_HEADER_LIST_BYTES = 64 * 1024;

/** What we announce in HTTP/2 SETTINGS. */
export function http2Settings(role: 'client' | 'server', settings: HboneSettings): LocalSettings {
  return {
    initialWindowSize: settings.streamWindowBytes,
    connectionWindowSize: settings.connectionWindowBytes,
    maxFrameSize: settings.maxFrameBytes,
    maxConcurrentStreams: role === 'server' ? settings.serverMaxTunnels : 0,
    maxHeaderListSize: role === 'server' ? SERVER_HEADER_LIST_BYTES : CLIENT_HEADER_LIST_BYTES,
    headerTableSize: 4096,
    ...(settings.machineId === undefined
      ? {}
      : { experimental: new Map([[MACHINE_SETTING, settings.machineId]]) }),
  };
}
