import { expect } from 'chai';
import { settled, testLog } from '@ambient/kube/testing';
import { ManualClock } from '@ambient/runtime';

import { WorkQueue } from './work-queue.ts';

function makeQueue(
  reconcile: (key: string) => Promise<number | undefined>,
  options: { parallel?: number; gatherMs?: number; lines?: string[] } = {},
): { queue: WorkQueue; clock: ManualClock } {
  const { lines, ...rest } = options;
  const clock = new ManualClock();
  const log = testLog(lines);
  return { queue: new WorkQueue({ name: 'test', reconcile, clock, log, random: () => 0.5, ...rest }), clock };
}

describe('WorkQueue', () => {
  it('looks once at a key that was added many times', async () => {
    const looks: string[] = [];
    const { queue } = makeQueue((key) => Promise.resolve(void looks.push(key)));
    for (let i = 0; i < 5; i++) queue.add('a');
    queue.add('b');
    await settled();
    expect(looks).to.deep.equal(['a', 'b']);
    expect(queue.idle).to.equal(true);
  });

  it('looks again at a key that was added during its look, and never twice at once', async () => {
    const gates: (() => void)[] = [];
    let active = 0;
    let most = 0;
    const { queue } = makeQueue(async () => {
      most = Math.max(most, ++active);
      await new Promise<void>((resolve) => gates.push(resolve));
      active--;
      return undefined;
    });
    queue.add('a');
    await settled();
    queue.add('a');
    queue.add('a');
    await settled();
    expect(gates).to.have.length(1);
    gates[0]!();
    await settled();
    expect(gates).to.have.length(2);
    gates[1]!();
    await settled();
    expect([gates.length, most]).to.deep.equal([2, 1]);
  });

  it('works on so many keys at the same time', async () => {
    const gates: (() => void)[] = [];
    const { queue } = makeQueue(
      async () => {
        await new Promise<void>((resolve) => gates.push(resolve));
        return undefined;
      },
      { parallel: 2 },
    );
    for (const key of ['a', 'b', 'c']) queue.add(key);
    await settled();
    expect(gates).to.have.length(2);
    gates[0]!();
    await settled();
    expect(gates).to.have.length(3);
  });

  it('tries again after growing delays, and starts over after a success', async () => {
    const lines: string[] = [];
    let looks = 0;
    const { queue, clock } = makeQueue(
      () => (++looks < 3 ? Promise.reject(new Error('no')) : Promise.resolve(undefined)),
      { lines },
    );
    queue.add('a');
    await settled();
    expect([looks, clock.nextTimerInMs]).to.deep.equal([1, 20]);
    clock.advance(20);
    await settled();
    expect([looks, clock.nextTimerInMs]).to.deep.equal([2, 40]);
    clock.advance(40);
    await settled();
    expect([looks, clock.pendingTimers]).to.deep.equal([3, 0]);
    expect(lines).to.have.length(2);
  });

  it('looks later when asked to, at the earliest of several times', async () => {
    const looks: number[] = [];
    const { queue, clock } = makeQueue(() => Promise.resolve(void looks.push(clock.nowMs())));
    const startMs = clock.nowMs();
    queue.addAfter('a', 1000);
    queue.addAfter('a', 300);
    queue.addAfter('a', 500);
    clock.advance(2000);
    await settled();
    expect([looks.length, clock.pendingTimers]).to.deep.equal([1, 0]);
    expect(startMs).to.be.lessThan(looks[0]!);
  });

  it('leaves nothing behind when it is stopped', async () => {
    let looks = 0;
    const { queue, clock } = makeQueue(() => Promise.resolve(void looks++), { gatherMs: 10 });
    queue.add('a');
    queue.addAfter('b', 10);
    await queue.stop();
    queue.add('c');
    clock.advance(1000);
    await settled();
    expect([looks, clock.pendingTimers]).to.deep.equal([0, 0]);
  });
});
