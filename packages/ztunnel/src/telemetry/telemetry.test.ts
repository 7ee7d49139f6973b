import { expect } from 'chai';
import { CounterTable, MetricsRegistry, SeriesBudget } from '@ambient/runtime';
import { connectionLabels, withResponseFlag } from './connection-labels.ts';
import type { ConnectionLabelInputs } from './connection-labels.ts';
import { connectionLabelNames, metricDefinitions, metricNames } from './metric-definitions.ts';

const inputs: ConnectionLabelInputs = {
  reporter: 'destination',
  source: {
    workloadName: 'client',
    namespace: 'a',
    canonicalName: 'client-app',
    canonicalRevision: 'v1',
    clusterId: 'Kubernetes',
    locality: { region: 'r1', zone: 'z1', subzone: '' },
  },
  sourcePrincipal: 'spiffe://cluster.local/ns/a/sa/client',
  destination: undefined,
  destinationPrincipal: undefined,
  destinationService: { hostname: 'web.b.svc.cluster.local', namespace: 'b', name: 'web' },
  securityPolicy: 'mutual_tls',
};

function named(labels: readonly string[]): Record<string, string> {
  return Object.fromEntries(labels.map((value, i) => [connectionLabelNames[i] ?? `label ${i}`, value]));
}

describe('metric definitions', () => {
  it('define every name once, with bounded labels that exist', () => {
    const names = metricDefinitions.map((d) => d.name);
    expect(names).to.have.members(Object.values(metricNames));
    expect(new Set(names).size).equal(names.length);
    for (const { name, labels, boundedLabels = [] } of metricDefinitions) {
      expect(new Set(labels).size, name).equal(labels.length);
      expect(labels, name).to.include.members([...boundedLabels]);
    }
  });

  it('bound all labels of gauges, which go up and down', () => {
    for (const { name, type, labels, boundedLabels = [] } of metricDefinitions)
      if (type === 'gauge') expect(boundedLabels, name).to.have.members([...labels]);
  });

  it('end counters in _total, as Prometheus wants it', () => {
    for (const { name, type } of metricDefinitions)
      expect(name.endsWith('_total'), name).equal(type === 'counter');
  });
});

describe('connection labels', () => {
  it('fill every label, with unknown for what is missing', () => {
    expect(named(connectionLabels(inputs))).deep.equal({
      reporter: 'destination',
      source_workload: 'client',
      source_canonical_service: 'client-app',
      source_canonical_revision: 'v1',
      source_workload_namespace: 'a',
      source_principal: 'spiffe://cluster.local/ns/a/sa/client',
      source_app: 'client-app',
      source_version: 'v1',
      source_cluster: 'Kubernetes',
      destination_workload: 'unknown',
      destination_canonical_service: 'unknown',
      destination_canonical_revision: 'unknown',
      destination_workload_namespace: 'unknown',
      destination_principal: 'unknown',
      destination_app: 'unknown',
      destination_version: 'unknown',
      destination_cluster: 'unknown',
      destination_service: 'web.b.svc.cluster.local',
      destination_service_namespace: 'b',
      destination_service_name: 'web',
      request_protocol: 'tcp',
      response_flags: '-',
      connection_security_policy: 'mutual_tls',
      source_region: 'r1',
      source_zone: 'z1',
      destination_region: 'unknown',
      destination_zone: 'unknown',
    });
  });

  it('tell in the flag why a connection failed, and leave the original alone', () => {
    const labels = connectionLabels(inputs);
    const denied = withResponseFlag(labels, 'DENY');
    expect(named(denied)['response_flags']).equal('DENY');
    expect(named(labels)['response_flags']).equal('-');
    expect(withResponseFlag(labels, '-')).equal(labels);
  });

  it('come out of a worker and of the registry as they went in', async () => {
    const table = new CounterTable(metricDefinitions);
    table.handle(metricNames.connectionsOpened, connectionLabels(inputs)).add(1);
    const budget = new SeriesBudget({}, () => {});
    const registry = await MetricsRegistry.create(metricDefinitions, budget, () => 0);
    registry.absorb(structuredClone(table.drainDeltas(0)));
    const line = (await registry.render())
      .split('\n')
      .find((candidate) => candidate.startsWith('istio_tcp_connections_opened_total{'));
    expect(line)
      .contain('reporter="destination"')
      .contain('source_principal="spiffe://cluster.local/ns/a/sa/client"')
      .match(/ 1$/);
  });
});
