/** Metrics of the control plane, with istiod's names where it has them. */
import type { MetricDefinition, MetricsRegistry } from '@ambient/runtime';
import { typeUrl } from '@ambient/wire';
import type { DeltaServerMetrics } from '@ambient/xds/server';

import { caMetrics } from './ca/ca-metrics.ts';

const metricNames = {
  connections: 'pilot_xds',
  pushes: 'pilot_xds_pushes',
  pushedBytes: 'pilot_xds_push_bytes',
  convergence: 'pilot_proxy_convergence_time',
  rejects: 'pilot_total_xds_rejects',
  refused: 'pilot_xds_refused',
  leading: 'pilot_leader',
} as const;

export const controlPlaneMetrics: readonly MetricDefinition[] = [
  {
    name: metricNames.connections,
    help: 'Proxies connected to this control plane.',
    type: 'gauge',
    labels: [],
  },
  {
    name: metricNames.pushes,
    help: 'Responses sent to proxies.',
    type: 'counter',
    labels: ['type'],
    boundedLabels: ['type'],
  },
  {
    name: metricNames.pushedBytes,
    help: 'Bytes of the responses sent to proxies.',
    type: 'counter',
    labels: ['type'],
    boundedLabels: ['type'],
  },
  {
    name: metricNames.convergence,
    help: 'Seconds from a change of what is served until a response with it has left this process.',
    type: 'histogram',
    labels: ['type'],
    boundedLabels: ['type'],
    buckets: [0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 3, 5, 10, 20, 30],
  },
  {
    name: metricNames.rejects,
    help: 'Responses that proxies refused.',
    type: 'counter',
    labels: ['type'],
    boundedLabels: ['type'],
  },
  {
    name: metricNames.refused,
    help: 'Discovery streams that were refused or closed by this control plane, by reason.',
    type: 'counter',
    labels: ['reason'],
    boundedLabels: ['reason'],
  },
  {
    name: metricNames.leading,
    help: '1 while this replica leads.',
    type: 'gauge',
    labels: [],
  },
  ...caMetrics,
];

const shortNames: Readonly<Record<string, string>> = {
  [typeUrl.address]: 'wds',
  [typeUrl.authorization]: 'authz',
};

/** What the discovery server counts. */
export function discoveryMetrics(registry: MetricsRegistry): DeltaServerMetrics {
  const nameOf = (type: string): string => shortNames[type] ?? 'other';
  return {
    connections: (count) => registry.set(metricNames.connections, [], count),
    pushed(type, _resources, _removed, bytes) {
      registry.add(metricNames.pushes, [nameOf(type)]);
      registry.add(metricNames.pushedBytes, [nameOf(type)], bytes);
    },
    pushLatency: (type, seconds) => registry.observe(metricNames.convergence, [nameOf(type)], seconds),
    rejected: (type) => registry.add(metricNames.rejects, [nameOf(type)]),
    refused: (code) => registry.add(metricNames.refused, [code]),
  };
}

/** Shows whether this replica leads. */
export function setLeading(registry: MetricsRegistry, leading: boolean): void {
  registry.set(metricNames.leading, [], leading ? 1 : 0);
}
