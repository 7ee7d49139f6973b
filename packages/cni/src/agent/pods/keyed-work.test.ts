import { expect } from 'chai';
import { ManualClock } from '@ambient/runtime';
import { settled } from '@ambient/kube/testing';
import { KeyedWork } from './keyed-work.ts';

describe('KeyedWork', () => {
  let clock: ManualClock;
  let running: Map<string, () => void>;
  let began: string[];
  let faults: string[];
  let work: KeyedWork;

  beforeEach(() => {
    clock = new ManualClock();
    running = new Map();
    began = [];
    faults = [];
    work = new KeyedWork({
      concurrency: 2,
      clock,
      work: (key) => piece(key, key),
      onFault: (key) => faults.push(key),
    });
  });

  function piece(name: string, key: string): Promise<void> {
    began.push(name);
    return new Promise((resolve) => running.set(key, resolve));
  }

  async function end(key: string): Promise<void> {
    running.get(key)!();
    await settled();
  }

  it('works on as many keys at a time as it may, the others in order', async () => {
    for (const key of ['a', 'b', 'c']) work.touch(key);
    expect(began).to.deep.equal(['a', 'b']);
    await end('b');
    expect(began).to.deep.equal(['a', 'b', 'c']);
  });

  it('never works twice on a key, and once more for whatever came meanwhile', async () => {
    work.touch('a');
    work.touch('a');
    work.touch('a');
    const task = work.exclusive('a', () => piece('task', 'a'));
    expect(began).to.deep.equal(['a']);
    await end('a');
    expect(began).to.deep.equal(['a', 'task']);
    await end('a');
    await task;
    expect(began).to.deep.equal(['a', 'task', 'a']);
  });

  it('prefers a task to keys that were touched before it', async () => {
    for (const key of ['a', 'b', 'c']) work.touch(key);
    void work.exclusive('d', () => piece('task', 'd'));
    await end('a');
    expect(began).to.deep.equal(['a', 'b', 'task']);
  });

  it('tries later, or at once when it is touched before', async () => {
    work.touchLater('a', 1000);
    work.touchLater('b', 1000);
    work.touch('b');
    expect(began).to.deep.equal(['b']);
    clock.advance(1000);
    expect(began).to.deep.equal(['b', 'a']);
    await end('a');
    expect(clock.pendingTimers).to.equal(0);
  });

  it('goes on after a defect, and hands the failure of a task to whoever asked for it', async () => {
    const failing = new KeyedWork({
      concurrency: 1,
      clock,
      work: () => Promise.reject(new Error('defect')),
      onFault: (key) => faults.push(key),
    });
    failing.touch('a');
    const failure = await failing
      .exclusive('b', () => Promise.reject(new Error('no')))
      .catch((error: Error) => error);
    expect(failure.message).to.equal('no');
    await settled();
    expect(faults).to.deep.equal(['a']);
  });

  it('stops when what runs has ended, without beginning anything', async () => {
    work.touch('a');
    work.touchLater('b', 10);
    const stopped = work.stop();
    work.touch('c');
    await end('a');
    await stopped;
    expect(began).to.deep.equal(['a']);
    expect(clock.pendingTimers).to.equal(0);
  });
});
