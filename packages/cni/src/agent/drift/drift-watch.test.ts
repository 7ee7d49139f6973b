import { expect } from 'chai';
import { settled, testLog } from '@ambient/kube/testing';
import { ManualClock } from '@ambient/runtime';
import { DriftWatch } from './drift-watch.ts';

describe('DriftWatch', () => {
  let clock: ManualClock;
  let generations: Map<string, number>;
  let heard: ReadonlyMap<string, number>;
  let compared: string[];
  let verify: (uid: string) => Promise<readonly string[]>;
  let watch: DriftWatch;

  beforeEach(() => {
    clock = new ManualClock();
    generations = new Map([
      ['a', 1],
      ['b', 1],
    ]);
    compared = [];
    verify = () => Promise.resolve([]);
    watch = new DriftWatch({
      pods: () => generations.keys(),
      generations: {
        of: (uid) => generations.get(uid)?.toString(),
        hear: () => (heard = new Map(generations)),
        heard: (uid) => heard.get(uid)?.toString(),
        prune: () => undefined,
      },
      verify: (uid) => {
        compared.push(uid);
        return verify(uid);
      },
      intervalMs: 1000,
      fullIntervalMs: 60_000,
      clock,
      log: testLog(),
    });
    for (const uid of generations.keys()) watch.noteSet(uid);
    watch.start();
  });

  afterEach(() => {
    watch.stop();
    expect(clock.pendingTimers, 'timers leaked').to.equal(0);
  });

  async function look(ms = 1000): Promise<string[]> {
    compared = [];
    clock.advance(ms);
    await settled();
    return compared;
  }

  it('compares only where something has changed', async () => {
    expect(await look()).to.deep.equal([]);
    generations.set('b', 2);
    expect(await look()).to.deep.equal(['b']);
    expect(await look()).to.deep.equal([]);
  });

  it('does not take its own repair for a change', async () => {
    verify = (uid) => {
      generations.set(uid, generations.get(uid)! + 1);
      return Promise.resolve(['missing: a rule']);
    };
    generations.set('a', 5);
    expect(await look()).to.deep.equal(['a']);
    expect(await look()).to.deep.equal([]);
  });

  it('compares all of them after a time, and one that has failed at the next look', async () => {
    for (let i = 0; i < 59; i++) expect(await look()).to.deep.equal([]);
    expect(await look()).to.deep.equal(['a', 'b']);
    generations.set('a', 9);
    verify = () => Promise.reject(new Error('no'));
    expect(await look()).to.deep.equal(['a']);
    expect(await look()).to.deep.equal(['a']);
  });

  it('compares a pod that it has not heard of', async () => {
    generations.set('c', 1);
    expect(await look()).to.deep.equal(['c']);
  });
});
