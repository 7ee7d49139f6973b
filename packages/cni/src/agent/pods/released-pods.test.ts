import { expect } from 'chai';
import { NetworkNamespace } from '@ambient/linux';
import { ManualClock } from '@ambient/runtime';
import { ReleasedPods } from './released-pods.ts';

describe('ReleasedPods', () => {
  let clock: ManualClock;
  let over: string[];
  let finished: string[];
  let atOnce: number;
  let most: number;
  let pods: ReleasedPods;

  beforeEach(() => {
    clock = new ManualClock();
    over = [];
    finished = [];
    atOnce = 0;
    most = 0;
    pods = new ReleasedPods({
      graceMs: 30_000,
      clock,
      onGraceOver: (uid) => over.push(uid),
      finish: async (netns, uid) => {
        most = Math.max(most, ++atOnce);
        await Promise.resolve();
        atOnce--;
        netns.close();
        finished.push(uid);
      },
    });
  });
  afterEach(() => {
    expect(clock.pendingTimers, 'a grace nobody waits for').to.equal(0);
  });

  it('tell when the grace of one is over, and bring its release to its end once', async () => {
    pods.add('a', NetworkNamespace.current());
    clock.advance(29_999);
    expect(over).to.deep.equal([]);
    clock.advance(1);
    expect(over).to.deep.equal(['a']);
    expect(await pods.finish('a')).to.equal(true);
    expect(await pods.finish('a')).to.equal(false);
    expect(finished).to.deep.equal(['a']);
    expect(pods.size).to.equal(0);
  });

  it('let go of one that is captured again, without an end of its release', async () => {
    const netns = NetworkNamespace.current();
    pods.add('a', netns);
    expect(pods.namespaceOf('a')).to.equal(netns);
    pods.recall('a');
    expect(() => netns.fd).to.throw('closed');
    expect(pods.namespaceOf('a')).to.equal(undefined);
    expect(await pods.finish('a')).to.equal(false);
    clock.advance(30_000);
    expect([over, finished]).to.deep.equal([[], []]);
    pods.recall('never heard of');
  });

  it('come to their end together, so many at a time', async () => {
    for (let i = 0; i < 7; i++) pods.add(`pod ${i}`, NetworkNamespace.current());
    await pods.finishAll(3);
    expect(finished).to.have.length(7);
    expect(new Set(finished).size).to.equal(7);
    expect(most).to.equal(3);
    expect(pods.size).to.equal(0);
  });
});
