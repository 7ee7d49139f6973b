import { expect } from 'chai';
import { CounterTable } from './counter-table.ts';
import type { MetricDefinition } from './definition.ts';
import { MetricUsageError } from './definition.ts';
import { MetricsRegistry } from './registry.ts';
import type { SeriesLimits } from './series-budget.ts';
import { SeriesBudget } from './series-budget.ts';

const opened: MetricDefinition = {
  name: 'opened_total',
  help: 'Opened.',
  type: 'counter',
  labels: ['reporter', 'workload'],
  boundedLabels: ['reporter'],
};
const open: MetricDefinition = {
  name: 'open',
  help: 'Open.',
  type: 'gauge',
  labels: ['reporter'],
  boundedLabels: ['reporter'],
};
const took: MetricDefinition = {
  name: 'took_seconds',
  help: 'Took.',
  type: 'histogram',
  labels: ['kind'],
  buckets: [0.1, 1],
};
const definitions = [opened, open, took];

async function setup(limits: SeriesLimits = {}) {
  let nowMs = 0;
  const overflows: string[] = [];
  const budget = new SeriesBudget(limits, (metric, max) => overflows.push(`${metric} ${max}`));
  const registry = await MetricsRegistry.create(definitions, budget, () => nowMs);
  const samples = async () =>
    (await registry.render()).split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return { registry, overflows, samples, advance: (ms: number) => (nowMs += ms) };
}

describe('CounterTable', () => {
  it('gives one handle per series and reports differences only', () => {
    const table = new CounterTable(definitions);
    const handle = table.handle('opened_total', ['source', 'a']);
    expect(table.handle('opened_total', ['source', 'a'])).equal(handle);
    handle.add(2);
    handle.add(3);
    table.handle('opened_total', ['source', 'b']);
    expect(table.drainDeltas(0)).deep.equal([{ metric: 'opened_total', labels: ['source', 'a'], delta: 5 }]);
    expect(table.drainDeltas(0)).deep.equal([]);
    handle.add(1);
    expect(table.drainDeltas(0)).deep.equal([{ metric: 'opened_total', labels: ['source', 'a'], delta: 1 }]);
  });

  it('says nothing of a gauge that came back to where it was', () => {
    const table = new CounterTable(definitions);
    const handle = table.handle('open', ['source']);
    handle.add(1);
    handle.add(-1);
    expect(table.drainDeltas(0)).deep.equal([]);
  });

  it('hands over observations, in a form that can be cloned', () => {
    const table = new CounterTable(definitions);
    const handle = table.handle('took_seconds', ['dial']);
    handle.observe(0.2);
    handle.observe(3);
    const deltas = structuredClone(table.drainDeltas(0));
    expect(deltas).deep.equal([{ metric: 'took_seconds', labels: ['dial'], observations: [0.2, 3] }]);
    expect(table.drainDeltas(0)).deep.equal([]);
  });

  it('tells label values apart that only together look the same', () => {
    const table = new CounterTable(definitions);
    expect(table.handle('opened_total', ['a', 'b,c'])).not.equal(table.handle('opened_total', ['a,b', 'c']));
  });

  it('forgets idle series without losing the counts of handles that are still held', () => {
    const table = new CounterTable(definitions);
    const held = table.handle('opened_total', ['source', 'a']);
    held.add(1);
    table.drainDeltas(1000);
    table.forgetIdle(1000);
    expect(table.size).equal(1);
    table.forgetIdle(1001);
    expect(table.size).equal(0);
    held.add(2);
    table.handle('opened_total', ['source', 'a']).add(3);
    const deltas = table.drainDeltas(2000);
    expect(deltas.map((d) => ('delta' in d ? d.delta : d.observations))).deep.equal([2, 3]);
  });

  it('refuses metrics and label counts that are not in the table', () => {
    const table = new CounterTable(definitions);
    expect(() => table.handle('nope', [])).throw(MetricUsageError);
    expect(() => table.handle('open', [])).throw(MetricUsageError);
  });
});

describe('MetricsRegistry', () => {
  it('merges the counts of workers and renders them', async () => {
    const { registry, samples } = await setup();
    for (const n of [2, 3]) {
      const table = new CounterTable(definitions);
      table.handle('opened_total', ['source', 'a']).add(n);
      table.handle('open', ['source']).add(n - 1);
      table.handle('took_seconds', ['dial']).observe(0.5);
      registry.absorb(table.drainDeltas(0));
    }
    expect(await samples()).deep.equal([
      'opened_total{reporter="source",workload="a"} 5',
      'open{reporter="source"} 3',
      'took_seconds_bucket{le="0.1",kind="dial"} 0',
      'took_seconds_bucket{le="1",kind="dial"} 2',
      'took_seconds_bucket{le="+Inf",kind="dial"} 2',
      'took_seconds_sum{kind="dial"} 1',
      'took_seconds_count{kind="dial"} 2',
    ]);
  });

  it('counts beyond the limit in an overflow series, keeps bounded labels, and warns once', async () => {
    const { registry, overflows, samples } = await setup({ maxSeries: 2 });
    for (const workload of ['a', 'b', 'c', 'd', 'a']) registry.add('opened_total', ['source', workload]);
    registry.add('opened_total', ['destination', 'e']);
    expect(await samples()).deep.equal([
      'opened_total{reporter="source",workload="a"} 2',
      'opened_total{reporter="source",workload="b"} 1',
      'opened_total{reporter="source",workload="overflow"} 2',
      'opened_total{reporter="destination",workload="overflow"} 1',
    ]);
    expect(overflows).deep.equal(['opened_total 2']);
  });

  it('expires idle series, which makes room for others', async () => {
    const { registry, samples, advance } = await setup({ maxSeries: 2, idleMs: 1000 });
    registry.add('opened_total', ['source', 'a']);
    advance(600);
    registry.add('opened_total', ['source', 'b']);
    advance(600);
    registry.expireIdle();
    registry.add('opened_total', ['source', 'c']);
    expect(await samples()).deep.equal([
      'opened_total{reporter="source",workload="b"} 1',
      'opened_total{reporter="source",workload="c"} 1',
    ]);
  });

  it('expires the series of a workload that is gone', async () => {
    const { registry, samples } = await setup();
    registry.add('opened_total', ['source', 'a']);
    registry.add('opened_total', ['source', 'b']);
    registry.expireWhere((definition, labels) => labels[definition.labels.indexOf('workload')] === 'a');
    expect(await samples()).deep.equal(['opened_total{reporter="source",workload="b"} 1']);
  });

  it('keeps a gauge that is not back at 0', async () => {
    const { registry, samples, advance } = await setup({ idleMs: 1000 });
    registry.add('open', ['source'], 1);
    registry.set('open', ['destination'], 0);
    advance(5000);
    registry.expireIdle();
    registry.expireWhere(() => true);
    expect(await samples()).deep.equal(['open{reporter="source"} 1']);
    registry.add('open', ['source'], -1);
    advance(1000);
    registry.expireIdle();
    expect(await samples()).deep.equal([]);
  });

  it('refuses the wrong operation for a metric', async () => {
    const { registry } = await setup();
    expect(() => registry.add('took_seconds', ['x'])).throw(MetricUsageError);
    expect(() => registry.set('opened_total', ['a', 'b'], 1)).throw(MetricUsageError);
    expect(() => registry.observe('open', ['a'], 1)).throw(MetricUsageError);
    expect(() => registry.add('opened_total', ['a'])).throw(MetricUsageError, 'has 2 labels, given 1');
    expect(() => registry.add('nope', [])).throw(MetricUsageError);
  });
});
