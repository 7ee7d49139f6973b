import { ManualClock, MetricsRegistry, SeriesBudget } from '@ambient/runtime';
import type { SeriesDelta } from '@ambient/runtime';
import { expect } from 'chai';
import { ProcessMetrics } from './process-metrics.ts';
import { connectionLabelNames, metricNames } from './telemetry/metric-definitions.ts';
import { recordingLink } from './testing/links.ts';
import { recordingLog } from './testing/log-lines.ts';
import type { Collected } from './workers/data-workers.ts';

const sockets = (delta: number): SeriesDelta => ({
  metric: metricNames.socketsOpen,
  labels: ['source'],
  delta,
});

function setup() {
  const reports: Collected[][] = [];
  const known = new Set<string>();
  const metrics = new ProcessMetrics(
    () => Promise.resolve(reports.shift() ?? []),
    () => known,
    new ManualClock(),
    recordingLog().log,
  );
  /** Samples of a metric, `{labels} value`. */
  const samples = async (metric: string): Promise<string[]> =>
    (await metrics.render())
      .split('\n')
      .filter((line) => line.startsWith(metric))
      .map((line) => line.slice(metric.length));
  return { metrics, reports, samples, known };
}

describe('ProcessMetrics', () => {
  it('says what is running, in the format that it names', async () => {
    const { metrics, samples } = setup();
    expect(await samples('istio_build')).deep.equal(['{component="ztunnel",tag="0.1.0"} 1']);
    const registry = await MetricsRegistry.create([], new SeriesBudget({}, () => {}), () => 0);
    expect(metrics.contentType).equal(registry.contentType);
  });

  it('adds up what workers report at each look, and what is taken over in between', async () => {
    const { metrics, reports, samples } = setup();
    const worker = recordingLink();
    const observed: SeriesDelta = {
      metric: metricNames.dnsUpstreamDuration,
      labels: ['A', 'udp', 'x', 'y'],
      observations: [0.2, 0.3],
    };
    metrics.absorb([{ worker, series: [sockets(2), observed], connections: [] }]);
    reports.push([{ worker, series: [sockets(1)], connections: [] }]);
    expect(await samples('istio_tcp_sockets_open')).deep.equal(['{reporter="source"} 3']);
    const [count] = await samples('istio_dns_upstream_request_duration_seconds_count');
    expect(count).match(/ 2$/);
    reports.push([{ worker, series: [sockets(-1)], connections: [] }]);
    expect(await samples('istio_tcp_sockets_open')).deep.equal(['{reporter="source"} 2']);
  });

  it('takes back the open sockets of a worker that died', async () => {
    const { metrics, samples } = setup();
    const [dead, alive] = [recordingLink(0), recordingLink(1)];
    metrics.absorb([
      { worker: dead, series: [sockets(5)], connections: [] },
      { worker: alive, series: [sockets(2)], connections: [] },
    ]);
    metrics.forget(dead);
    metrics.forget(dead);
    expect(await samples('istio_tcp_sockets_open')).deep.equal(['{reporter="source"} 2']);
  });

  it('shows the last counts of a workload that is gone once more, then no longer', async () => {
    const { metrics, samples, known } = setup();
    const opened = (source: string): SeriesDelta => ({
      metric: metricNames.connectionsOpened,
      labels: connectionLabelNames.map((name) =>
        name === 'source_workload' ? source : name === 'source_workload_namespace' ? 'a' : 'unknown',
      ),
      delta: 1,
    });
    known.add('a/here').add('a/gone');
    const series = ['here', 'gone', 'unknown'].map(opened);
    metrics.absorb([{ worker: recordingLink(), series, connections: [] }]);
    expect(await samples('istio_tcp_connections_opened_total')).length(3);
    known.delete('a/gone');
    expect(await samples('istio_tcp_connections_opened_total')).length(3);
    const left = await samples('istio_tcp_connections_opened_total');
    expect(left.map((line) => /source_workload="(\w+)"/.exec(line)?.[1])).deep.equal(['here', 'unknown']);
  });

  it('counts messages and terminations of the control plane', async () => {
    const { metrics, samples } = setup();
    const xds = metrics.xds();
    xds.message('type/A', 10);
    xds.message('type/A', 5);
    xds.terminated('Reconnect');
    expect(await samples('istio_xds_message_total')).deep.equal(['{url="type/A"} 2']);
    expect(await samples('istio_xds_message_bytes_total')).deep.equal(['{url="type/A"} 15']);
    expect(await samples('istio_xds_connection_terminations_total')).deep.equal(['{reason="Reconnect"} 1']);
  });
});
