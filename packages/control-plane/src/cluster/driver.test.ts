import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';

import type { Batch } from './claims.ts';
import { Driver } from './driver.ts';

/** Work that takes the time it is told to, by the paused clock. */
class Rig {
  readonly clock = new ManualClock();
  readonly events: string[] = [];
  readonly deferred: (() => void)[] = [];
  /** Milliseconds of work that is left. */
  left = 0;
  readonly driver = new Driver({
    clock: this.clock,
    debounceMs: 10,
    maxDelayMs: 100,
    sliceMs: 10,
    defer: (fn) => this.deferred.push(fn),
    onBatch: () => this.events.push('batch'),
    onFirst: () => this.events.push('first'),
    engine: {
      work: (enough) => {
        while (this.left > 0) {
          this.left--;
          this.clock.advance(1);
          if (enough()) break;
        }
        this.events.push(`work, ${this.left} left`);
        return this.left === 0;
      },
      takeBatch: (): Batch => new Map(),
    },
  });

  turn(): void {
    for (const fn of this.deferred.splice(0)) fn();
  }
}

describe('Driver', () => {
  it('begins with all that is there, in slices, and hands it on whole', () => {
    const rig = new Rig();
    rig.left = 250;
    rig.driver.start();
    while (rig.deferred.length > 0) rig.turn();
    expect(rig.events.filter((event) => event.startsWith('work')).length).equal(25);
    expect(rig.events.slice(-3)).deep.equal(['work, 0 left', 'batch', 'first']);
    expect(rig.events.indexOf('batch')).equal(25);
  });

  it('gathers changes for a little, and works on them at once', () => {
    const rig = new Rig();
    rig.driver.wake();
    expect(rig.clock.pendingTimers, 'not before the start').equal(0);
    rig.driver.start();
    rig.events.length = 0;
    rig.left = 1;
    rig.driver.wake();
    rig.left = 3;
    rig.driver.wake();
    expect([rig.clock.pendingTimers, rig.clock.nextTimerInMs]).deep.equal([1, 10]);
    rig.clock.advance(10);
    expect(rig.events).deep.equal(['work, 0 left', 'batch']);
  });

  it('hands on what is ready while changes keep coming', () => {
    const rig = new Rig();
    rig.driver.start();
    rig.events.length = 0;
    rig.left = 1;
    rig.driver.wake();
    rig.clock.advance(10);
    rig.events.length = 0;
    rig.driver.wake();
    rig.left = 1000;
    rig.clock.advance(10);
    for (let i = 0; i < 20; i++) rig.turn();
    expect(rig.events.filter((event) => event === 'batch').length).equal(2);
  });

  it('leaves neither timer nor work behind', () => {
    const rig = new Rig();
    rig.driver.start();
    rig.driver.wake();
    rig.driver[Symbol.dispose]();
    expect(rig.clock.pendingTimers).equal(0);
    const working = new Rig();
    working.left = 100;
    working.driver.start();
    working.driver[Symbol.dispose]();
    working.turn();
    expect(working.left).equal(90);
  });
});
