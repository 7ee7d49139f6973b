import {
  bool,
  defineSettings,
  derived,
  duration,
  int,
  list,
  logSettings,
  oneOf,
  optional,
  text,
  custom,
  ValueError,
} from '@ambient/runtime';
import { hostname } from 'node:os';

import { parseTrustedAccounts } from '../auth/node-authorization.ts';

// Names, defaults and meanings are those of istiod where it has them, so that its chart's values can be kept.

const second = 1000;
const hour = 3600 * second;
const goDuration = duration({ bareSeconds: true });

/** `host:port`, `:port` for every address; '' turns the listener off. */
export interface ListenAddress {
  /** undefined: every address. */
  readonly host: string | undefined;
  readonly port: number;
}

/** @throws ValueError */
export function parseListenAddress(raw: string): ListenAddress {
  const colon = raw.lastIndexOf(':');
  const port = Number(raw.slice(colon + 1));
  if (colon < 0 || !/^\d+$/.test(raw.slice(colon + 1)) || port > 65_535)
    throw new ValueError('HOST:PORT or :PORT, such as 127.0.0.1:15010');
  const host = raw.slice(0, colon).replace(/^\[(.*)\]$/, '$1');
  return { host: host === '' ? undefined : host, port };
}

const renderAddress = ({ host, port }: ListenAddress): string => `${host ?? ''}:${port}`;
const address = custom('address', parseListenAddress, renderAddress);
const accounts = custom(
  list.name,
  (raw: string): readonly string[] => Array.from(parseTrustedAccounts(raw)),
  (names) => list.render(names),
);

export const clusterSettings = defineSettings('Cluster', {
  kubeconfig: {
    env: 'KUBECONFIG',
    type: optional(text),
    default: undefined,
    doc: 'File with address and credentials of the API server (`--kubeconfig`). Without it the service account of the pod is used.',
  },
  namespace: {
    env: 'POD_NAMESPACE',
    type: text,
    default: 'istio-system',
    doc: 'Namespace of the control plane: root namespace of the mesh unless MeshConfig names another, and home of its Secrets.',
  },
  podName: {
    env: 'POD_NAME',
    type: text,
    default: derived('host name and process id', () => `${hostname()}-${process.pid}`),
    doc: 'Name of this replica, by which it takes part in the election of a leader. No two replicas may share one: both would lead.',
  },
  clusterId: {
    env: 'CLUSTER_ID',
    type: text,
    default: 'Kubernetes',
    doc: 'Name of the cluster; proxies have to send the same (`clusterid`).',
  },
  domain: {
    env: 'CLUSTER_DOMAIN',
    type: text,
    default: 'cluster.local',
    doc: "DNS domain of the cluster's services. A name of ours; istiod has a flag.",
  },
  revision: {
    env: 'REVISION',
    type: text,
    default: 'default',
    doc: 'Revision of this control plane: objects labelled `istio.io/rev` with another are left to that one.',
  },
});

export const listenerSettings = defineSettings('Listeners', {
  secureGrpc: {
    env: 'SECURE_GRPC_ADDRESS',
    type: address,
    default: { host: undefined, port: 15_012 },
    doc: 'Discovery and certificates over TLS.',
  },
  plaintextXds: {
    env: 'PLAINTEXT_XDS_ADDRESS',
    type: optional(address),
    default: undefined,
    doc: 'Discovery in plaintext and without authentication (`--plaintext-xds`), for debugging: bind it to loopback.',
  },
  webhook: {
    env: 'WEBHOOK_ADDRESS',
    type: address,
    default: derived('`:15017`', () => ({ host: undefined, port: 15_017 })),
    doc: 'Admission webhook of the API server.',
  },
  monitoring: {
    env: 'MONITORING_ADDRESS',
    type: address,
    default: { host: undefined, port: 15_014 },
    doc: '`/metrics`, `/version` and `/debug`.',
  },
  readiness: {
    env: 'HTTP_ADDRESS',
    type: address,
    default: { host: undefined, port: 8080 },
    doc: '`/ready` and `/debug`.',
  },
});

export const discoverySettings = defineSettings('Discovery', {
  debounceAfterMs: {
    env: 'PILOT_DEBOUNCE_AFTER',
    type: goDuration,
    default: 20,
    doc: 'Pushes wait until nothing has changed for so long. istiod waits 100 ms.',
  },
  debounceMaxMs: {
    env: 'PILOT_DEBOUNCE_MAX',
    type: goDuration,
    default: 50,
    doc: 'But never longer than this. istiod waits up to 10 s.',
  },
  admissionsPerSecond: {
    env: 'PILOT_MAX_REQUESTS_PER_SECOND',
    type: int({ min: 1 }),
    default: 100,
    doc: 'New discovery streams served a second; more wait.',
  },
  dryRunPolicies: {
    env: 'AMBIENT_ENABLE_DRY_RUN_AUTHORIZATION_POLICY',
    type: bool,
    default: false,
    doc: 'Send policies annotated `istio.io/dry-run` to ztunnels, which log what they would have done.',
  },
  autoAllowWaypoint: {
    env: 'PILOT_AUTO_ALLOW_WAYPOINT_POLICY',
    type: bool,
    default: false,
    doc: 'Let waypoints reach the workloads behind them whatever ALLOW policies say.',
  },
  multiNetwork: {
    env: 'AMBIENT_ENABLE_MULTI_NETWORK',
    type: bool,
    default: false,
    doc: 'Endpoints on other networks (`network` of WorkloadEntries and ServiceEntries) are reached through the gateways of those networks: [networks](control-plane.md#several-networks).',
  },
  allocateAddresses: {
    env: 'PILOT_ENABLE_IP_AUTOALLOCATE',
    type: bool,
    default: true,
    doc: 'Give addresses to the hosts of ServiceEntries that have none.',
  },
  ipv4Range: {
    env: 'PILOT_IP_AUTOALLOCATE_IPV4_PREFIX',
    type: text,
    default: '240.240.0.0/16',
    doc: 'Where such IPv4 addresses come from.',
  },
  ipv6Range: {
    env: 'PILOT_IP_AUTOALLOCATE_IPV6_PREFIX',
    type: text,
    default: '2001:2::/48',
    doc: 'Where such IPv6 addresses come from.',
  },
});

export const leaderSettings = defineSettings('Leader', {
  writesPerSecond: {
    env: 'PILOT_STATUS_QPS',
    type: int({ min: 1 }),
    default: 100,
    doc: 'Writes a second to the API server: conditions, addresses, roots. Those of one second may go at once after a pause. What has changed lately goes first.',
  },
});

export const certificateSettings = defineSettings('Certificates', {
  trustedNodeAccounts: {
    env: 'CA_TRUSTED_NODE_ACCOUNTS',
    type: accounts,
    default: [],
    doc: 'Accounts of node agents, `NAMESPACE/NAME` separated by commas, that may ask for certificates of their own node’s workloads. Shared ztunnels need it: `istio-system/ztunnel`.',
  },
  defaultTtlMs: {
    env: 'DEFAULT_WORKLOAD_CERT_TTL',
    type: goDuration,
    default: 24 * hour,
    doc: 'Life of a certificate whose request names none.',
  },
  maxTtlMs: {
    env: 'MAX_WORKLOAD_CERT_TTL',
    type: goDuration,
    default: 90 * 24 * hour,
    doc: 'Longer ones are refused.',
  },
  rootOverlapMs: {
    env: 'CA_ROOT_OVERLAP',
    type: optional(goDuration),
    default: derived('`MAX_WORKLOAD_CERT_TTL` and an hour more', () => undefined),
    doc: 'How long a new root is handed out before it signs, and an old one after it has signed. Must be longer than any certificate lives, by more than clocks differ. A name of ours.',
  },
  selfSignedTtlMs: {
    env: 'CITADEL_SELF_SIGNED_CA_CERT_TTL',
    type: goDuration,
    default: 3650 * 24 * hour,
    doc: 'Life of a root of our own.',
  },
  rootKeyType: {
    env: 'CA_ROOT_KEY_TYPE',
    type: oneOf('ec', 'rsa'),
    default: 'ec',
    doc: 'Key of a root of our own: P-256, or RSA 2048 for peers that know nothing else. A name of ours.',
  },
  folder: {
    env: 'ROOT_CA_DIR',
    type: text,
    default: './etc/cacerts',
    doc: 'Where a CA of yours is mounted (`cacerts`). One that is not there is looked for in the Secret of that name.',
  },
  customHosts: {
    env: 'ISTIOD_CUSTOM_HOST',
    type: list,
    default: [],
    doc: 'Further names of this control plane, for its serving certificate.',
  },
});

export const settingsSchemas = [
  clusterSettings,
  listenerSettings,
  discoverySettings,
  leaderSettings,
  certificateSettings,
  logSettings,
] as const;
