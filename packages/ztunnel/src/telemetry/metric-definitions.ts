import type { MetricDefinition } from '@ambient/runtime';

// Names, labels and their order are those of Istio's ztunnel, so that existing dashboards go on working.

const sourceLabels = [
  'source_workload',
  'source_canonical_service',
  'source_canonical_revision',
  'source_workload_namespace',
  'source_principal',
  'source_app',
  'source_version',
  'source_cluster',
] as const;

/** Labels of the connection metrics, in the order that `connectionLabels` fills. */
export const connectionLabelNames = [
  'reporter',
  ...sourceLabels,
  'destination_workload',
  'destination_canonical_service',
  'destination_canonical_revision',
  'destination_workload_namespace',
  'destination_principal',
  'destination_app',
  'destination_version',
  'destination_cluster',
  'destination_service',
  'destination_service_namespace',
  'destination_service_name',
  'request_protocol',
  'response_flags',
  'connection_security_policy',
  'source_region',
  'source_zone',
  'destination_region',
  'destination_zone',
] as const;

const connectionBounded = [
  'reporter',
  'request_protocol',
  'response_flags',
  'connection_security_policy',
] as const;

function connectionCounter(name: string, help: string): MetricDefinition {
  return { name, help, type: 'counter', labels: connectionLabelNames, boundedLabels: connectionBounded };
}

const dnsLabels = [
  'request_query_type',
  'request_protocol',
  'source_canonical_service',
  'source_canonical_revision',
] as const;
const dnsBounded = ['request_query_type', 'request_protocol'] as const;

function dnsCounter(name: string, help: string): MetricDefinition {
  return { name, help, type: 'counter', labels: dnsLabels, boundedLabels: dnsBounded };
}

/** Names of the metrics, for the code that counts. */
export const metricNames = {
  connectionsOpened: 'istio_tcp_connections_opened_total',
  connectionsClosed: 'istio_tcp_connections_closed_total',
  connectionsFailed: 'istio_tcp_connections_failed_total',
  bytesSent: 'istio_tcp_sent_bytes_total',
  bytesReceived: 'istio_tcp_received_bytes_total',
  socketsOpen: 'istio_tcp_sockets_open',
  onDemandDns: 'istio_on_demand_dns_total',
  dnsRequests: 'istio_dns_requests_total',
  dnsUpstreamRequests: 'istio_dns_upstream_requests_total',
  dnsUpstreamFailures: 'istio_dns_upstream_failures_total',
  dnsUpstreamDuration: 'istio_dns_upstream_request_duration_seconds',
  xdsMessages: 'istio_xds_message_total',
  xdsMessageBytes: 'istio_xds_message_bytes_total',
  xdsConnectionTerminations: 'istio_xds_connection_terminations_total',
  crlRejections: 'istio_crl_policy_rejections_total',
  crlUntrackedConnections: 'istio_crl_untracked_connections_total',
  build: 'istio_build',
  activeProxies: 'workload_manager_active_proxy_count',
  pendingProxies: 'workload_manager_pending_proxy_count',
  proxiesStarted: 'workload_manager_proxies_started_total',
  proxiesStopped: 'workload_manager_proxies_stopped_total',
  snapshotInUse: 'ambient_mesh_snapshot_in_use',
  snapshotWrites: 'ambient_mesh_snapshot_writes_total',
} as const;

/** Every metric of ztunnel; the main thread registers them, data workers count those of connections. */
export const metricDefinitions: readonly MetricDefinition[] = [
  connectionCounter(
    metricNames.connectionsOpened,
    'TCP connections opened, those refused by policy and those that could not be dialled included.',
  ),
  connectionCounter(metricNames.connectionsClosed, 'TCP connections closed, however they ended.'),
  connectionCounter(
    metricNames.connectionsFailed,
    'TCP connections that were refused or failed; response_flags tells why.',
  ),
  connectionCounter(metricNames.bytesSent, 'Bytes sent from server to client.'),
  connectionCounter(metricNames.bytesReceived, 'Bytes received from client to server.'),
  {
    name: metricNames.socketsOpen,
    help: 'TCP connections that are open now.',
    type: 'gauge',
    labels: ['reporter'],
    boundedLabels: ['reporter'],
  },
  {
    name: metricNames.onDemandDns,
    help: 'Names resolved because a workload has only a hostname.',
    type: 'counter',
    labels: [...sourceLabels, 'hostname'],
  },
  dnsCounter(metricNames.dnsRequests, 'DNS requests received.'),
  dnsCounter(metricNames.dnsUpstreamRequests, 'DNS requests forwarded upstream.'),
  dnsCounter(metricNames.dnsUpstreamFailures, 'DNS requests that upstream failed to answer.'),
  {
    name: metricNames.dnsUpstreamDuration,
    help: 'Time of forwarded DNS requests, in seconds.',
    type: 'histogram',
    labels: dnsLabels,
    boundedLabels: dnsBounded,
    buckets: [0.0005, 0.001, 0.01, 0.1, 1, 5],
  },
  {
    name: metricNames.xdsMessages,
    help: 'Messages from the control plane, by type URL.',
    type: 'counter',
    labels: ['url'],
  },
  {
    name: metricNames.xdsMessageBytes,
    help: 'Bytes of messages from the control plane, by type URL.',
    type: 'counter',
    labels: ['url'],
  },
  {
    name: metricNames.xdsConnectionTerminations,
    help: 'Ended connections to the control plane, by reason.',
    type: 'counter',
    labels: ['reason'],
    boundedLabels: ['reason'],
  },
  {
    name: metricNames.crlRejections,
    help: 'Handshakes refused because the certificate is revoked.',
    type: 'counter',
    labels: ['reporter'],
    boundedLabels: ['reporter'],
  },
  {
    name: metricNames.crlUntrackedConnections,
    help: 'Connections that a new revocation list cannot cut, because their certificates are not known.',
    type: 'counter',
    labels: ['reporter'],
    boundedLabels: ['reporter'],
  },
  {
    name: metricNames.build,
    help: 'Always 1; the labels tell what is running.',
    type: 'gauge',
    labels: ['component', 'tag'],
    boundedLabels: ['component', 'tag'],
  },
  { name: metricNames.activeProxies, help: 'Pods that are being served.', type: 'gauge', labels: [] },
  {
    name: metricNames.pendingProxies,
    help: 'Pods whose proxy could not be started yet.',
    type: 'gauge',
    labels: [],
  },
  { name: metricNames.proxiesStarted, help: 'Proxies of pods started.', type: 'counter', labels: [] },
  { name: metricNames.proxiesStopped, help: 'Proxies of pods stopped.', type: 'counter', labels: [] },
  {
    name: metricNames.snapshotInUse,
    help: 'Our own: 1 while the mesh is that of the snapshot on this node, because the control plane has not answered since the start.',
    type: 'gauge',
    labels: [],
  },
  {
    name: metricNames.snapshotWrites,
    help: 'Our own: snapshots of the mesh written, by result: success or failure.',
    type: 'counter',
    labels: ['result'],
    boundedLabels: ['result'],
  },
];
