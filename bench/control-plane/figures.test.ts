import { expect } from 'chai';
import { figuresOfChanges } from './figures.ts';

const changes = (count: number, everyMs: number) =>
  Array.from({ length: count }, (_, revision) => ({ revision, sentMs: 1000 + revision * everyMs }));

describe('figures of changes', () => {
  it('tell the time until the last client had a change', () => {
    const made = changes(100, 10);
    const arrivals = made.map(({ sentMs }, i) => ({ clients: 3, lastMs: sentMs + (i === 50 ? 90 : 20) }));
    const { latencyMs, rate, backlogGrowth } = figuresOfChanges(made, arrivals, 3);
    expect(latencyMs).deep.equal({ p50: 20, p99: 20 });
    expect(rate).closeTo(99, 1);
    expect(backlogGrowth).closeTo(0, 1e-9);
  });

  it('count a change that some client lacks as never come', () => {
    const made = changes(10, 10);
    const arrivals = made.map(({ sentMs }, i) => ({ clients: i === 0 ? 2 : 3, lastMs: sentMs + 10 }));
    const { latencyMs, rate } = figuresOfChanges(made, arrivals, 3);
    expect(latencyMs).deep.equal({ p50: 10, p99: Infinity });
    expect(rate).equal(90);
  });

  it('show a backlog that grows', () => {
    const made = changes(300, 10);
    const arrivals = made.map(({ sentMs }, i) => ({ clients: 1, lastMs: sentMs + i * 5 }));
    // 100 a second that take 0.2 s on average, and 1.25 s at the end.
    expect(figuresOfChanges(made, arrivals, 1).backlogGrowth).closeTo(100, 1);
  });
});
