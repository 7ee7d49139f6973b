import { workloadWith } from '@ambient/mesh';
import { CounterTable } from '@ambient/runtime';
import { expect } from 'chai';
import { metricDefinitions } from '../telemetry/metric-definitions.ts';
import type { ConnectionParties } from './connection-metrics.ts';
import { ConnectionMetrics } from './connection-metrics.ts';

describe('ConnectionMetrics', () => {
  const caller = workloadWith({ uid: 'caller', workloadName: 'caller' });
  const called = workloadWith({ uid: 'called', workloadName: 'called' });
  const parties: ConnectionParties = {
    reporter: 'source',
    source: caller,
    sourcePrincipal: 'spiffe://cluster.local/ns/a/sa/caller',
    destination: called,
    destinationPrincipal: 'spiffe://cluster.local/ns/a/sa/called',
    destinationService: undefined,
    mutualTls: true,
  };
  let metrics: ConnectionMetrics;
  beforeEach(() => {
    metrics = new ConnectionMetrics(new CounterTable(metricDefinitions));
  });

  it('has one series for a pair, whichever objects say who they are', () => {
    const series = metrics.seriesOf(parties);
    expect(metrics.seriesOf({ ...parties })).to.equal(series);
    expect(metrics.seriesOf({ ...parties, source: { ...caller } }), 'the same words in baggage').to.equal(
      series,
    );
  });

  const others: readonly (readonly [string, Partial<ConnectionParties>])[] = [
    ['reporter', { reporter: 'destination' }],
    ['source', { source: called }],
    ['principal of the source', { sourcePrincipal: undefined }],
    ['destination', { destination: undefined }],
    ['principal of the destination', { destinationPrincipal: undefined }],
    ['use of mutual TLS', { mutualTls: false }],
  ];
  for (const [what, change] of others)
    it(`has another series for another ${what}`, () => {
      const series = metrics.seriesOf(parties);
      expect(metrics.seriesOf({ ...parties, ...change })).to.not.equal(series);
      expect(metrics.seriesOf(parties)).to.equal(series);
    });

  it('makes them anew when workloads have changed', () => {
    const series = metrics.seriesOf(parties);
    metrics.forget();
    expect(metrics.seriesOf(parties)).to.not.equal(series);
  });

  it('finds the series of parties beyond those that it remembers', () => {
    const series = metrics.seriesOf(parties);
    for (let i = 0; i < 5000; i++) metrics.seriesOf({ ...parties, source: { ...caller } });
    expect(metrics.seriesOf(parties)).to.equal(series);
  });
});
