import { expect } from 'chai';
import { PingWatch } from './ping-watch.ts';

describe('PingWatch', () => {
  it('measures the round trip of the answer to its own question', () => {
    const watch = new PingWatch(20_000);
    const payload = watch.start(100);
    expect(watch.onAnswer(payload + 1, 101)).to.equal(undefined);
    expect(watch.outstanding).to.equal(true);
    expect(watch.onAnswer(payload, 107)).to.equal(7);
    expect(watch.onAnswer(payload, 108), 'answered twice').to.equal(undefined);
    expect(watch.outstanding).to.equal(false);
  });

  it('tells the silence since the question, which any byte breaks', () => {
    const watch = new PingWatch(20_000);
    expect(watch.silentMs(5000, 0), 'nobody was asked').to.equal(0);
    const payload = watch.start(5000);
    expect(watch.silentMs(7000, 1000)).to.equal(2000);
    expect(watch.silentMs(7000, 6500)).to.equal(500);
    watch.onAnswer(payload, 7000);
    expect(watch.silentMs(9000, 7000)).to.equal(0);
  });

  it('is overdue after its time, not before, and not without a question', () => {
    const watch = new PingWatch(20_000);
    expect(watch.overdue(1e9)).to.equal(false);
    watch.start(0);
    expect(watch.overdue(19_999)).to.equal(false);
    expect(watch.overdue(20_000)).to.equal(true);
  });
});
