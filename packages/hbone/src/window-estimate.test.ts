import { expect } from 'chai';
import { WindowEstimate } from './window-estimate.ts';

const MIB = 1024 * 1024;

describe('WindowEstimate', () => {
  /** Feeds `bytes` over `ms` milliseconds, in steps of one. */
  function feed(estimate: WindowEstimate, fromMs: number, ms: number, bytes: number, light = true): void {
    for (let i = 1; i <= ms; i++) estimate.onReceived(bytes / ms, fromMs + i, light);
  }

  it('stays as it is until a round trip is known', () => {
    const estimate = new WindowEstimate(16 * MIB, 0);
    feed(estimate, 0, 1000, 1000 * MIB);
    expect(estimate.windowBytes).to.equal(16 * MIB);
  });

  it('shrinks to the least on a short fast path, where more would only wait', () => {
    const estimate = new WindowEstimate(16 * MIB, 0);
    estimate.onRoundTrip(0.05);
    feed(estimate, 0, 50, 50 * MIB);
    expect(estimate.windowBytes).to.equal(128 * 1024);
  });

  it('leaves bulk alone more, since nobody waits behind it', () => {
    const estimate = new WindowEstimate(16 * MIB, 0);
    estimate.onRoundTrip(0.05);
    feed(estimate, 0, 50, 50 * MIB, false);
    expect(estimate.windowBytes).to.equal(2 * MIB);
    feed(estimate, 50, 50, 50 * MIB, true);
    expect(estimate.windowBytes).to.equal(128 * 1024);
  });

  it('learns nothing from little traffic', () => {
    const estimate = new WindowEstimate(16 * MIB, 0);
    estimate.onRoundTrip(0.2);
    feed(estimate, 0, 10_000, 5 * MIB);
    expect(estimate.windowBytes).to.equal(16 * MIB);
  });

  it('grows to twice what the path holds, where the window is what limits', () => {
    const estimate = new WindowEstimate(16 * MIB, 0);
    estimate.onRoundTrip(0.2);
    feed(estimate, 0, 50, 50 * MIB);
    const path = new WindowEstimate(16 * MIB, 0);
    path.onRoundTrip(50);
    let now = 0;
    path.windowBytes = MIB;
    // A window per round trip of 50 ms, until the path's own 100 MiB/s.
    for (let round = 0; round < 10; round++) {
      const perSecond = Math.min((path.windowBytes / 50) * 1000, 100 * MIB);
      feed(path, now, 200, perSecond / 5);
      now += 200;
    }
    expect(path.windowBytes).to.be.closeTo(10 * MIB, MIB / 2);
  });

  it('takes the shortest round trip', () => {
    const estimate = new WindowEstimate(16 * MIB, 0);
    estimate.onRoundTrip(0.2);
    estimate.onRoundTrip(500);
    feed(estimate, 0, 50, 50 * MIB);
    expect(estimate.windowBytes).to.be.closeTo(0.4 * MIB, 100);
  });
});
