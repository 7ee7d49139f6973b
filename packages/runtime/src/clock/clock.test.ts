import { expect } from 'chai';
import { realClock } from './clock.ts';
import { ManualClock } from './manual-clock.ts';

describe('ManualClock', () => {
  it('stands still until advanced', () => {
    const clock = new ManualClock(1000);
    expect(clock.nowMs()).equal(1000);
    clock.advance(5);
    expect(clock.nowMs()).equal(1005);
  });

  it('fires timers in order of time, then of creation, each at its own time', () => {
    const clock = new ManualClock(0);
    const fired: string[] = [];
    const timer = (name: string, ms: number) =>
      clock.setTimer(ms, () => fired.push(`${name}@${clock.nowMs()}`));
    timer('c', 30);
    timer('a', 10);
    timer('b', 10);
    clock.advance(29);
    expect(fired).deep.equal(['a@10', 'b@10']);
    expect(clock.nextTimerInMs).equal(1);
    clock.advance(1);
    expect(fired).deep.equal(['a@10', 'b@10', 'c@30']);
    expect(clock.nextTimerInMs).equal(undefined);
  });

  it('fires timers that a fired timer sets, if they fall due in the same step', () => {
    const clock = new ManualClock(0);
    const fired: number[] = [];
    const again = (): void => {
      fired.push(clock.nowMs());
      clock.setTimer(10, again);
    };
    clock.setTimer(10, again);
    clock.advance(35);
    expect(fired).deep.equal([10, 20, 30]);
    expect(clock.pendingTimers).equal(1);
  });

  it('does not fire a disposed timer', () => {
    const clock = new ManualClock();
    let fired = false;
    const timer = clock.setTimer(1, () => (fired = true));
    timer[Symbol.dispose]();
    timer[Symbol.dispose]();
    clock.advance(10);
    expect([fired, clock.pendingTimers]).deep.equal([false, 0]);
  });
});

describe('realClock', () => {
  it('tells Unix time and fires timers', async () => {
    const before = Date.now();
    await new Promise<void>((resolve) => void realClock.setTimer(1, resolve));
    expect(realClock.nowMs()).within(before, Date.now());
  });

  it('keeps a delay longer than a Node timer can hold from firing at once, and lets go of it', async () => {
    let fired = false;
    const long = realClock.setTimer(2 ** 40, () => (fired = true));
    await new Promise<void>((resolve) => void realClock.setTimer(5, resolve));
    long[Symbol.dispose]();
    expect(fired).equal(false);
  });
});
