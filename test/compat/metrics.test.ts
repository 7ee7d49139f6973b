import type { MetricDefinition } from '@ambient/runtime';
import { expect } from 'chai';
import { agentMetrics } from '../../packages/cni/src/agent/metrics.ts';
import { metricDefinitions } from '../../packages/ztunnel/src/telemetry/metric-definitions.ts';

/** Metrics that Istio's dashboards and alerts ask for: name, labels. Ours may have more metrics, not other labels. */
const source = [
  'workload',
  'canonical_service',
  'canonical_revision',
  'workload_namespace',
  'principal',
  'app',
  'version',
  'cluster',
];
const connection = [
  'reporter',
  ...source.map((name) => `source_${name}`),
  ...source.map((name) => `destination_${name}`),
  ...['destination_service', 'destination_service_namespace', 'destination_service_name'],
  ...['request_protocol', 'response_flags', 'connection_security_policy'],
  ...['source_region', 'source_zone', 'destination_region', 'destination_zone'],
];
const dns = [
  'request_query_type',
  'request_protocol',
  'source_canonical_service',
  'source_canonical_revision',
];

const ztunnel: Readonly<Record<string, readonly string[]>> = {
  istio_tcp_connections_opened_total: connection,
  istio_tcp_connections_closed_total: connection,
  istio_tcp_connections_failed_total: connection,
  istio_tcp_sent_bytes_total: connection,
  istio_tcp_received_bytes_total: connection,
  istio_tcp_sockets_open: ['reporter'],
  istio_on_demand_dns_total: [...source.map((name) => `source_${name}`), 'hostname'],
  istio_dns_requests_total: dns,
  istio_dns_upstream_requests_total: dns,
  istio_dns_upstream_failures_total: dns,
  istio_dns_upstream_request_duration_seconds: dns,
  istio_xds_message_total: ['url'],
  istio_xds_message_bytes_total: ['url'],
  istio_xds_connection_terminations_total: ['reason'],
  istio_crl_policy_rejections_total: ['reporter'],
  istio_crl_untracked_connections_total: ['reporter'],
  istio_build: ['component', 'tag'],
  workload_manager_active_proxy_count: [],
  workload_manager_pending_proxy_count: [],
  workload_manager_proxies_started_total: [],
  workload_manager_proxies_stopped_total: [],
};
const agent: Readonly<Record<string, readonly string[]>> = {
  ztunnel_connected: [],
  nodeagent_reconcile_events_total: ['type'],
  istio_cni_plugin_requests_total: ['response_code'],
  istio_cni_installs_total: ['result'],
  istio_cni_install_ready: [],
};

function check(
  definitions: readonly MetricDefinition[],
  wanted: Readonly<Record<string, readonly string[]>>,
): void {
  for (const [name, labels] of Object.entries(wanted)) {
    const found = definitions.find((definition) => definition.name === name);
    expect(found?.labels, name).to.have.members([...labels]);
    if (name.endsWith('_total')) expect(found?.type, name).to.equal('counter');
  }
}

describe('metrics by the names and labels of Istio', () => {
  it('are those of ztunnel', () => {
    check(metricDefinitions, ztunnel);
    const duration = metricDefinitions.find(({ name }) => name.endsWith('_duration_seconds'));
    expect(duration?.buckets).to.deep.equal([0.0005, 0.001, 0.01, 0.1, 1, 5]);
  });

  it('are those of the node agent', () => check(agentMetrics, agent));

  it('have names of our own where Istio has none', () => {
    const ours = metricDefinitions.filter(({ name }) => !Object.hasOwn(ztunnel, name));
    expect(ours.filter(({ name }) => !name.startsWith('ambient_'))).to.deep.equal([]);
  });
});
