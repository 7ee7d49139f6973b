import { expect } from 'chai';
import fc from 'fast-check';
import { Timer, TimerWheel } from './timers.ts';

const raise = (error: unknown): never => {
  throw error as Error;
};

describe('TimerWheel', () => {
  it('fires at its time, never early, once', () => {
    const wheel = new TimerWheel(1000);
    const fired: string[] = [];
    const timer = new Timer(() => fired.push('a'));
    wheel.set(timer, 1000, 100);
    wheel.expire(1099, raise);
    expect(fired).to.deep.equal([]);
    wheel.expire(1108, raise);
    wheel.expire(99_000, raise);
    expect(fired).to.deep.equal(['a']);
    expect(wheel.count).to.equal(0);
  });

  it('cancels and re-arms', () => {
    const wheel = new TimerWheel(0);
    let fired = 0;
    const timer = new Timer(() => fired++);
    wheel.set(timer, 0, 50);
    wheel.set(timer, 0, 500);
    wheel.expire(100, raise);
    expect(fired).to.equal(0);
    wheel.cancel(timer);
    wheel.cancel(timer);
    wheel.expire(10_000, raise);
    expect(fired).to.equal(0);
    expect(wheel.waitMs(10_000)).to.equal(Infinity);
  });

  it('lets a timer cancel its neighbour of the same tick', () => {
    const wheel = new TimerWheel(0);
    const fired: number[] = [];
    const timers: Timer[] = [0, 1].map(
      (i) =>
        new Timer(() => {
          fired.push(i);
          wheel.cancel(timers[1 - i]!);
        }),
    );
    for (const timer of timers) wheel.set(timer, 0, 10);
    wheel.expire(100, raise);
    expect(fired.length).to.equal(1);
  });

  it('hands a fault on and fires the rest', () => {
    const wheel = new TimerWheel(0);
    const faults: unknown[] = [];
    let fired = 0;
    wheel.set(new Timer(() => raise(new Error('defect'))), 0, 10);
    wheel.set(new Timer(() => fired++), 0, 10);
    wheel.expire(100, (error) => faults.push(error));
    expect(faults.length).to.equal(1);
    expect(fired).to.equal(1);
  });

  it('keeps every promise for arbitrary delays and steps (longer than one round of the wheel included)', () => {
    fc.assert(
      fc.property(
        fc.array(fc.integer({ min: 0, max: 30_000 }), { minLength: 1, maxLength: 40 }),
        fc.array(fc.integer({ min: 1, max: 9000 }), { minLength: 1, maxLength: 20 }),
        (delays, steps) => {
          const wheel = new TimerWheel(5);
          const firedAt = new Map<number, number>();
          let now = 5;
          delays.forEach((delay, i) => {
            wheel.set(new Timer(() => firedAt.set(i, now)), 5, delay);
          });
          for (const step of steps) {
            const wait = wheel.waitMs(now);
            const pending = delays.filter((_, i) => !firedAt.has(i));
            if (pending.length > 0) expect(now + wait).to.be.at.most(5 + Math.min(...pending) + 8);
            now += step;
            wheel.expire(now, raise);
            delays.forEach((delay, i) => {
              if (now >= 5 + delay + 8) expect(firedAt.has(i), `delay ${delay} at ${now}`).to.equal(true);
              if (firedAt.has(i)) expect(firedAt.get(i)! - 5).to.be.at.least(delay);
            });
          }
        },
      ),
      { numRuns: 200 },
    );
  });
});
