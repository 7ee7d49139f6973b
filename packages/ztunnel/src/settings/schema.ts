import { bool, bytes, defineSettings, derived, duration, int, oneOf, optional, text } from '@ambient/runtime';
import { cpuQuantity, ipAddress, logLevels, workerThreadsType, workloadName } from './value-types.ts';

// Names, defaults and meanings are those of Istio's ztunnel, so that its configuration runs unchanged; the few of our
// own say so in their documentation.

const second = 1000;
const minute = 60 * second;
const MiB = 1024 * 1024;

/** Istio's ztunnel reads a bare number as seconds, so these do too. */
const ztunnelDuration = duration({ bareSeconds: true });

const istiodAddress = derived(
  '`https://istiod.istio-system.svc:15012` if `KUBERNETES_SERVICE_HOST` is set, else `https://localhost:15012`',
  (source) =>
    source.get('KUBERNETES_SERVICE_HOST') === undefined
      ? 'https://localhost:15012'
      : 'https://istiod.istio-system.svc:15012',
);

const defaultRootFile = './var/run/secrets/istio/root-cert.pem';
const rootDoc =
  'Root certificates for the server: a file (reread when it changes), PEM text, or `SYSTEM` for those of the system.';

export const processSettings = defineSettings('Process', {
  proxyMode: {
    env: 'PROXY_MODE',
    type: oneOf('shared', 'dedicated'),
    default: 'shared',
    doc: '`shared` serves all pods of a node, whose namespaces the CNI agent hands over; `dedicated` serves the one workload in whose namespace it runs.',
  },
  proxyWorkloadInfo: {
    env: 'PROXY_WORKLOAD_INFO',
    type: optional(workloadName),
    default: undefined,
    doc: 'The workload of dedicated mode, which requires it.',
  },
  proxyEnabled: {
    env: 'ENABLE_PROXY',
    type: bool,
    default: true,
    doc: 'Whether to carry traffic at all; without it only DNS is served.',
  },
  workerThreads: {
    env: 'ZTUNNEL_WORKER_THREADS',
    type: optional(workerThreadsType),
    default: derived(
      "`concurrency` of the proxy config; else the larger of CPU limit and request if there is a limit; else the largest of 2, the request and a quarter of the machine's CPUs",
      () => undefined,
    ),
    doc: 'Data workers: threads that carry traffic, or a percentage of the CPUs, rounded up.',
  },
  cpuLimit: {
    env: 'ZTUNNEL_RESOURCE_CPU_LIMIT',
    type: optional(cpuQuantity),
    default: undefined,
    doc: 'CPU limit of the container, for the number of workers.',
  },
  cpuRequest: {
    env: 'ZTUNNEL_RESOURCE_CPU_REQUEST',
    type: optional(cpuQuantity),
    default: undefined,
    doc: 'CPU request of the container, for the number of workers.',
  },
  cpuCount: {
    env: 'ZTUNNEL_CPU_LIMIT',
    type: optional(cpuQuantity),
    default: undefined,
    doc: 'CPUs of the machine, if the process cannot see them itself.',
  },
  terminationDeadlineMs: {
    env: 'CONNECTION_TERMINATION_DEADLINE',
    type: optional(ztunnelDuration),
    default: derived(
      '`TERMINATION_GRACE_PERIOD_SECONDS` less 5 s (less 1 s if it is 10 or below), else `5s`',
      () => undefined,
    ),
    doc: 'How long connections may go on after the process has been told to end.',
  },
  terminationGracePeriodSeconds: {
    env: 'TERMINATION_GRACE_PERIOD_SECONDS',
    type: optional(int({ min: 0, max: 86_400 })),
    default: undefined,
    doc: "The pod's `terminationGracePeriodSeconds`.",
  },
  ipv6Enabled: {
    env: 'IPV6_ENABLED',
    type: bool,
    default: true,
    doc: 'Listen on IPv6 as well as IPv4, and answer AAAA queries.',
  },
  logLevels: {
    env: 'RUST_LOG',
    type: logLevels,
    default: 'info',
    doc: 'Log levels, general and by scope: `info,access=debug,h2=off`.',
  },
  logFormat: {
    env: 'LOG_FORMAT',
    type: oneOf('plain', 'json'),
    default: 'plain',
    doc: 'Tab-separated text, or one JSON object a line.',
  },
  proxyConfig: {
    env: 'PROXY_CONFIG',
    type: text,
    default: '',
    doc: "Istio's ProxyConfig as YAML; laid over `defaultConfig` of `./etc/istio/config/mesh`. See below.",
  },
});

export const placeSettings = defineSettings('Place in the mesh', {
  network: {
    env: 'NETWORK',
    type: text,
    default: '',
    doc: 'Network of this node, in a mesh of several.',
  },
  nodeName: {
    env: 'NODE_NAME',
    type: text,
    default: '',
    doc: 'Node of this process: workloads on it are local.',
  },
  clusterId: {
    env: ['ISTIO_META_CLUSTER_ID', 'CLUSTER_ID'],
    type: text,
    default: 'Kubernetes',
    doc: 'Cluster of this node.',
  },
  clusterDomain: {
    env: 'CLUSTER_DOMAIN',
    type: text,
    default: 'cluster.local',
    doc: 'DNS domain of the cluster.',
  },
  trustDomain: {
    env: 'TRUST_DOMAIN',
    type: text,
    default: 'cluster.local',
    doc: "Trust domain of this process's own identity.",
  },
  podName: { env: 'POD_NAME', type: text, default: '', doc: 'Own pod.' },
  podNamespace: { env: 'POD_NAMESPACE', type: text, default: '', doc: 'Namespace of the own pod.' },
  serviceAccount: {
    env: 'SERVICE_ACCOUNT',
    type: text,
    default: '',
    doc: 'Service account of the own pod. With `POD_NAME` and `POD_NAMESPACE` set, shared mode serves HBONE for its own pod too.',
  },
  instanceIp: {
    env: 'INSTANCE_IP',
    type: optional(ipAddress),
    default: undefined,
    doc: 'IP of the own pod, told to the control plane.',
  },
  preferredServiceNamespace: {
    env: 'PREFERED_SERVICE_NAMESPACE',
    type: text,
    default: '',
    doc: "Namespace whose services win after those of the client's own, where several have the same name.",
  },
});

export const controlPlaneSettings = defineSettings('Control plane', {
  xdsAddress: {
    env: 'XDS_ADDRESS',
    type: optional(text),
    default: derived(`\`discoveryAddress\` of the proxy config, else ${istiodAddress.rule}`, () => undefined),
    doc: 'Control plane; `https://` is added to an address without a scheme. Empty: none.',
  },
  xdsRootCa: { env: 'XDS_ROOT_CA', type: text, default: defaultRootFile, doc: rootDoc },
  altXdsHostname: {
    env: 'ALT_XDS_HOSTNAME',
    type: optional(text),
    default: undefined,
    doc: 'A second name that the certificate of the control plane may carry.',
  },
  xdsOnDemand: {
    env: 'XDS_ON_DEMAND',
    type: bool,
    default: false,
    doc: 'Ask for workloads and services when they are first called, instead of subscribing to all. Not with DNS.',
  },
  localXdsPath: {
    env: 'LOCAL_XDS_PATH',
    type: optional(text),
    default: undefined,
    doc: 'A YAML file of workloads, services and policies, reread when it changes.',
  },
  localXds: {
    env: 'LOCAL_XDS',
    type: optional(text),
    default: undefined,
    doc: 'The same as text. Only one of the two may be set.',
  },
  authToken: {
    env: 'AUTH_TOKEN',
    type: optional(text),
    default: derived(
      '`./var/run/secrets/tokens/istio-token` if it exists at start, else none',
      () => undefined,
    ),
    doc: 'Bearer token for the control plane and the CA: a file (reread for each call) or the token itself.',
    secret: true,
  },
});

export const snapshotSettings = defineSettings('Cold start', {
  snapshotPath: {
    env: 'AMBIENT_SNAPSHOT_PATH',
    type: optional(text),
    default: undefined,
    doc: 'Our own: a file on this node in which the last mesh and the certificates in use are kept, encrypted, for a start at which the control plane does not answer. Unset: none is kept.',
  },
  snapshotKeyPath: {
    env: 'AMBIENT_SNAPSHOT_KEY_PATH',
    type: optional(text),
    default: derived('`AMBIENT_SNAPSHOT_PATH` with `.key`', () => undefined),
    doc: 'Our own: the key of that file, made on first use, readable by its owner only.',
  },
  snapshotMaxAgeMs: {
    env: 'AMBIENT_SNAPSHOT_MAX_AGE',
    type: duration({ bareSeconds: true, minMs: minute }),
    default: 24 * 60 * minute,
    doc: 'Our own: an older snapshot is not used. Policies that were changed since it was written do not hold until the control plane answers.',
  },
});

export const certificateSettings = defineSettings('Certificates', {
  caAddress: {
    env: 'CA_ADDRESS',
    type: text,
    default: istiodAddress,
    doc: 'Certificate authority; `https://` is added to an address without a scheme.',
  },
  caRootCa: { env: 'CA_ROOT_CA', type: text, default: defaultRootFile, doc: rootDoc },
  altCaHostname: {
    env: 'ALT_CA_HOSTNAME',
    type: optional(text),
    default: undefined,
    doc: 'A second name that the certificate of the CA may carry.',
  },
  secretTtlMs: {
    env: 'SECRET_TTL',
    type: duration({ bareSeconds: true, minMs: second }),
    default: 24 * 60 * minute,
    doc: 'Life asked for workload certificates; renewal at half of it.',
  },
  fakeCa: {
    env: 'FAKE_CA',
    type: bool,
    default: false,
    doc: 'For trying things out only: sign certificates with a throwaway CA, and ask no other.',
  },
  fakeCaDir: {
    env: 'FAKE_CA_DIR',
    type: text,
    default: './var/run/ambient-fake-ca',
    doc: 'Our own: root and key of the throwaway CA, made on first use. Proxies pointed at one directory trust each other.',
  },
  crlPath: {
    env: 'CRL_PATH',
    type: optional(text),
    default: undefined,
    doc: 'Revocation lists, PEM or DER, reread when the file changes; live connections of revoked certificates are cut.',
  },
  tls12Enabled: {
    env: 'TLS12_ENABLED',
    type: bool,
    default: false,
    doc: 'Accept and offer TLS 1.2 with ECDHE and AES-GCM beside TLS 1.3.',
  },
  compliancePolicy: {
    env: 'COMPLIANCE_POLICY',
    type: optional(oneOf('pqc')),
    default: undefined,
    doc: '`pqc` allows the group X25519MLKEM768 only.',
  },
});

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
    type: ztunnelDuration,
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
    type: duration({ bareSeconds: true, minMs: second }),
    default: 3 * minute,
    doc: 'Idle time before the first keepalive probe.',
  },
  keepaliveIntervalMs: {
    env: 'KEEPALIVE_INTERVAL',
    type: duration({ bareSeconds: true, minMs: second }),
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
  socks5Enabled: {
    env: 'UNSTABLE_ENABLE_SOCKS5',
    type: bool,
    default: false,
    doc: 'Serve SOCKS5 on loopback.',
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
    doc: 'Listen with `SO_REUSEPORT`, so that an upgraded process can take over from the old one. `false` counts with a single worker only: several share a port in any case.',
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

/** Every group, in the order of the documentation. */
export const settingsSchemas = [
  processSettings,
  placeSettings,
  controlPlaneSettings,
  snapshotSettings,
  certificateSettings,
  trafficSettings,
] as const;

/** The control plane's address if nothing names one. */
export const defaultControlPlane = istiodAddress;
