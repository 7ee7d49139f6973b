import { expect } from 'chai';
import { ManualClock } from './manual-clock.ts';
import { sleep } from './sleep.ts';

/** Whether a promise has settled, as of now. */
async function settled(promise: Promise<void>): Promise<boolean> {
  return Promise.race([promise.then(() => true), Promise.resolve(false)]);
}

describe('sleep', () => {
  it('lasts as long as its clock says', async () => {
    const clock = new ManualClock(0);
    const sleeping = sleep(clock, 100);
    clock.advance(99);
    expect(await settled(sleeping)).to.equal(false);
    clock.advance(1);
    await sleeping;
    expect(clock.pendingTimers).to.equal(0);
  });

  it('ends with its signal, and leaves no timer', async () => {
    const clock = new ManualClock(0);
    const waking = new AbortController();
    const sleeping = sleep(clock, 100, waking.signal);
    expect(clock.pendingTimers).to.equal(1);
    waking.abort();
    await sleeping;
    expect(clock.pendingTimers).to.equal(0);
  });

  it('does not begin when its signal has come before', async () => {
    const clock = new ManualClock(0);
    await sleep(clock, 100, AbortSignal.abort());
    expect(clock.pendingTimers).to.equal(0);
  });
});
