import { expect } from 'chai';
import { ManualClock } from '../clock/manual-clock.ts';
import { Backoff } from './backoff.ts';
import { RetryTimer } from './retry-timer.ts';

describe('Backoff', () => {
  it('doubles up to the maximum and starts over after a success', () => {
    const backoff = new Backoff({ initialMs: 20, maxMs: 100 });
    expect([1, 2, 3, 4, 5].map(() => backoff.nextMs())).deep.equal([20, 40, 80, 100, 100]);
    expect(backoff.attempts).equal(5);
    backoff.reset();
    expect(backoff.nextMs()).equal(20);
  });

  it('spreads by the share given, either way', () => {
    const at = (random: number) =>
      new Backoff({ initialMs: 1000, maxMs: 1000, jitter: 0.2, random: () => random }).nextMs();
    expect([at(0), at(0.5), at(0.75)]).deep.equal([800, 1000, 1100]);
  });

  it('stays at the maximum however long the failures last', () => {
    const backoff = new Backoff({ initialMs: 1, maxMs: 15_000 });
    for (let i = 0; i < 5000; i += 1) backoff.nextMs();
    expect(backoff.nextMs()).equal(15_000);
  });
});

describe('RetryTimer', () => {
  it('runs one attempt after each delay', () => {
    const clock = new ManualClock(0);
    const retry = new RetryTimer(clock, new Backoff({ initialMs: 10, maxMs: 100 }));
    const attempts: number[] = [];
    expect(retry.schedule(() => attempts.push(clock.nowMs()))).equal(10);
    expect(retry.waiting).equal(true);
    clock.advance(10);
    expect(retry.waiting).equal(false);
    retry.schedule(() => attempts.push(clock.nowMs()));
    clock.advance(20);
    expect(attempts).deep.equal([10, 30]);
  });

  it('replaces a waiting attempt, and leaves no timer when disposed', () => {
    const clock = new ManualClock(0);
    const retry = new RetryTimer(clock, new Backoff({ initialMs: 10, maxMs: 100 }));
    const ran: string[] = [];
    retry.schedule(() => ran.push('first'));
    retry.schedule(() => ran.push('second'));
    clock.advance(1000);
    expect(ran).deep.equal(['second']);
    retry.schedule(() => ran.push('third'));
    retry[Symbol.dispose]();
    expect(clock.pendingTimers).equal(0);
  });

  it('forgets failures when reset', () => {
    const retry = new RetryTimer(new ManualClock(), new Backoff({ initialMs: 10, maxMs: 100 }));
    retry.schedule(() => {});
    retry.schedule(() => {});
    retry.reset();
    expect(retry.waiting).equal(false);
    expect(retry.schedule(() => {})).equal(10);
  });
});
