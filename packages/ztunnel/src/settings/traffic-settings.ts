import { bool, bytes, defineSettings, derived, int, optional, text } from '@ambient/runtime';
import { MiB, minute, second } from './units.ts';
import { ztunnelDuration } from './ztunnel-duration.ts';

export const trafficSettings = defineSettings('Traffic', {
  streamWindow: {
    env: 'HTTP2_STREAM_WINDOW_SIZE',
    type: bytes({ min: 65_535, max: 2 ** 31 - 1 }),
    default: 4 * MiB,
    doc: 'HTTP/2 receive window of a stream.',
  },
  connectionWindow: {
    env: 'HTTP2_CONNECTION_WINDOW_SIZE',
    type: bytes({ min: 65_535, max: 2 ** 31 - 1 }),
    default: 16 * MiB,
    doc: 'HTTP/2 receive window of a connection. Near the stream window, one stalled stream can stall its siblings.',
  },
  frameSize: {
    env: 'HTTP2_FRAME_SIZE',
    type: bytes({ min: 16_384, max: 2 ** 24 - 1 }),
    default: MiB,
    doc: 'Largest HTTP/2 frame accepted.',
  },
  poolMaxStreams: {
    env: 'POOL_MAX_STREAMS_PER_CONNECTION',
    type: int({ min: 1, max: 65_535 }),
    default: 100,
    doc: 'Streams on one pooled HBONE connection before another is opened.',
  },
  poolUnusedReleaseMs: {
    env: 'POOL_UNUSED_RELEASE_TIMEOUT',
    type: ztunnelDuration(),
    default: 5 * minute,
    doc: 'How long an unused HBONE connection stays in the pool.',
  },
  keepaliveEnabled: {
    env: 'KEEPALIVE_ENABLED',
    type: bool,
    default: true,
    doc: 'TCP keepalive on dialled connections and on those captured.',
  },
  keepaliveTimeMs: {
    env: 'KEEPALIVE_TIME',
    type: ztunnelDuration({ minMs: second }),
    default: 3 * minute,
    doc: 'Idle time before the first keepalive probe.',
  },
  keepaliveIntervalMs: {
    env: 'KEEPALIVE_INTERVAL',
    type: ztunnelDuration({ minMs: second }),
    default: 3 * minute,
    doc: 'Time between probes.',
  },
  keepaliveRetries: {
    env: 'KEEPALIVE_RETRIES',
    type: int({ min: 1, max: 127 }),
    default: 9,
    doc: 'Unanswered probes before a connection is given up.',
  },
  userTimeoutEnabled: {
    env: 'USER_TIMEOUT_ENABLED',
    type: bool,
    default: false,
    doc: 'Also give a connection up (`TCP_USER_TIMEOUT`) if sent data stays unacknowledged for as long as keepalive would take.',
  },
  packetMark: {
    env: 'PACKET_MARK',
    type: optional(int({ min: 0, max: 2 ** 32 - 1, hex: true })),
    default: derived('`1337` in shared mode, else none', () => undefined),
    doc: "Firewall mark of the proxy's own packets, which keeps them out of redirection.",
  },
  originalSource: {
    env: 'ENABLE_ORIG_SRC',
    type: optional(bool),
    default: undefined,
    doc: "Show applications the client's address: `true` requires it, `false` forbids it, unset does it if permitted.",
  },
  localhostAppTunnel: {
    env: 'LOCALHOST_APP_TUNNEL',
    type: bool,
    default: true,
    doc: 'Reach an application behind a PROXY-protocol tunnel by loopback rather than by its pod IP.',
  },
  inpodUds: {
    env: 'INPOD_UDS',
    type: text,
    default: '/var/run/ztunnel/ztunnel.sock',
    doc: "The CNI agent's socket, in shared mode.",
  },
  inpodPortReuse: {
    env: 'INPOD_PORT_REUSE',
    type: bool,
    default: true,
    doc: 'Whether another ztunnel may listen beside this one in a pod. `false` has no effect, and is warned of: the data workers share their ports in any case.',
  },
  transparentNetworkPolicies: {
    env: 'TRANSPARENT_NETWORK_POLICIES',
    type: bool,
    default: false,
    doc: 'Whether HBONE goes to the port of the application, for network plugins that lead it to port 15008 there. `true` has no effect, and is warned of.',
  },
  socks5: {
    env: 'UNSTABLE_ENABLE_SOCKS5',
    type: bool,
    default: false,
    doc: "Also take connections by SOCKS5, without authentication, on port 15080 of each pod's 127.0.0.1. Hostnames are those of the mesh, else those of the proxy's own DNS.",
  },
  podSockets: {
    env: 'AMBIENT_POD_SOCKETS',
    type: optional(int({ min: 16, max: 10_000_000 })),
    default: derived('as many as are still free for other pods', () => undefined),
    doc: 'Our own: the most sockets that one pod may have in one data worker, in shared mode. See docs/limits.md.',
  },
  resolvConf: {
    env: 'AMBIENT_RESOLV_CONF',
    type: text,
    default: '/etc/resolv.conf',
    doc: 'Our own: the resolv.conf(5) whose servers answer DNS questions that the mesh does not.',
  },
  responseBaggage: {
    env: 'ENABLE_RESPONSE_BAGGAGE',
    type: bool,
    default: true,
    doc: "Tell the client's proxy, in the answer to CONNECT, which workload it reached.",
  },
  authzPolicyInfoLogging: {
    env: 'AUTHZ_POLICY_INFO_LOGGING',
    type: bool,
    default: false,
    doc: 'Log at level info, not debug, which policy decided about a connection.',
  },
});
