import { Descriptor, openDescriptors } from '@ambient/linux';
import { formatSpiffe } from '@ambient/identity/peer';
import { Logger, LogLevels, ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { openSync } from 'node:fs';
import { PodWorker } from '../testing/pod-worker.ts';
import { NodePods } from './node-pods.ts';
import { PodNamespace } from './pod-namespace.ts';

const name = { namespace: 'a', name: 'client', serviceAccount: 'web' };

describe('NodePods', () => {
  let before: number;
  let clock: ManualClock;
  let pods: NodePods;
  let workers: PodWorker[];
  let counts: Record<'active' | 'pending' | 'started' | 'stopped', number>;
  let held: Map<number, string>;
  let log: string[];

  beforeEach(() => {
    before = openDescriptors().length;
    clock = new ManualClock();
    counts = { active: 0, pending: 0, started: 0, stopped: 0 };
    held = new Map();
    log = [];
    pods = new NodePods({
      clock,
      drainMs: 5000,
      trustDomain: () => 'cluster.local',
      identities: {
        hold: (id, identity) => held.set(id, formatSpiffe(identity)),
        release: (id) => held.delete(id),
      },
      metrics: {
        active: (delta) => (counts.active += delta),
        pending: (delta) => (counts.pending += delta),
        started: () => counts.started++,
        stopped: () => counts.stopped++,
      },
      log: new Logger(
        new LogLevels(),
        { write: (level, _scope, message) => log.push(`${level} ${message}`) },
        'inpod',
      ),
    });
    workers = [0, 1].map((index) => new PodWorker(index, () => pods));
    for (const worker of workers) pods.introduce(worker);
  });

  afterEach(() => {
    pods[Symbol.dispose]();
    expect(openDescriptors().length, 'descriptors leaked').equal(before);
    expect(clock.pendingTimers, 'timers leaked').equal(0);
  });

  /** Any file serves as a namespace; the same path is the same one. */
  function namespace(path = '/dev/null'): PodNamespace {
    return new PodNamespace(new Descriptor(openSync(path, 'r')));
  }

  function add(uid: string, path?: string): Promise<void> {
    return pods.add({ uid, name, namespace: namespace(path) });
  }

  async function failure(promise: Promise<void>): Promise<string> {
    return promise.then(
      () => 'no failure',
      (error: Error) => error.message,
    );
  }

  const states = (): string[] => pods.status().map(({ uid, state }) => `${uid} ${state}`);
  const heard = (): string[][] => workers.map((worker) => worker.heard.splice(0));
  const settle = (): Promise<void> => new Promise((resolve) => void setImmediate(resolve));

  it('captures a pod on every worker, and says so when the last one is ready', async () => {
    const [first, second] = workers as [PodWorker, PodWorker];
    second.onAdd = undefined;
    let done = false;
    const adding = add('u1').then(() => (done = true));
    await settle();
    expect([done, states(), counts.pending]).deep.equal([false, ['u1 Pending'], 1]);
    second.answer({ kind: 'pod-ready', id: second.lastId });
    await adding;
    expect(first.netnsFd).equal(second.netnsFd);
    expect([heard(), states()]).deep.equal([[['add u1'], ['add u1']], ['u1 Up']]);
    expect(counts).deep.equal({ active: 1, pending: 0, started: 1, stopped: 0 });
  });

  it('leaves a pod alone that is added again with the same namespace', async () => {
    await add('u1');
    heard();
    await add('u1');
    expect([heard(), counts.started, log.length]).deep.equal([[[], []], 1, 1]);
  });

  it('takes the same pod in another namespace for another one, the old one drains', async () => {
    await add('u1');
    heard();
    await add('u1', '/dev/zero');
    expect(heard()[0]).deep.equal(['remove 1 5000', 'add u1']);
    expect(states()).deep.equal(['u1 Up']);
    expect(counts).deep.equal({ active: 1, pending: 0, started: 2, stopped: 1 });
  });

  it('keeps the namespace open until every worker has nothing left in it', async () => {
    await add('u1');
    for (const worker of workers) worker.leaves = false;
    pods.remove('u1');
    await settle();
    expect(openDescriptors().length).equal(before + 1);
    expect([...held]).deep.equal([[1, 'spiffe://cluster.local/ns/a/sa/web']]);
    workers[0]!.answer({ kind: 'pod-gone', id: 1 });
    await settle();
    expect(openDescriptors().length).equal(before + 1);
    // The other one dies, which leaves nothing either.
    pods.forget(workers[1]!);
    expect([openDescriptors().length, states(), held.size]).deep.equal([before, [], 0]);
  });

  it('captures a pod on no worker if one cannot, and tries all again', async () => {
    workers[1]!.onAdd = 'failed';
    expect(await failure(add('u1'))).match(/a\/client cannot be captured: data worker 1: EPERM/);
    await settle();
    expect([heard(), states()]).deep.equal([[['add u1', 'remove 1 0'], ['add u1']], ['u1 Pending']]);
    expect(pods.havePending).equal(true);
    await pods.retryPending();
    expect([pods.havePending, log.at(-1)]).deep.equal([
      true,
      'warn pod still cannot be captured, trying again',
    ]);
    workers[1]!.onAdd = 'ready';
    await pods.retryPending();
    expect([pods.havePending, states()]).deep.equal([false, ['u1 Up']]);
    expect(counts).deep.equal({ active: 1, pending: 0, started: 1, stopped: 0 });
  });

  it('does not wait for ever for a worker that hangs', async () => {
    workers[1]!.onAdd = undefined;
    const adding = failure(add('u1'));
    await settle();
    clock.advance(4000);
    expect(await adding).match(/data workers 1 did not answer in time/);
    expect(states()).deep.equal(['u1 Pending']);
  });

  it('says that no worker runs', async () => {
    for (const worker of workers) pods.forget(worker);
    const adding = failure(add('u1'));
    clock.advance(4000);
    expect(await adding).match(/no data worker is running/);
  });

  it('goes by those that are left if a worker dies on the way', async () => {
    workers[1]!.onAdd = undefined;
    const adding = add('u1');
    pods.forget(workers[1]!);
    await adding;
    expect(states()).deep.equal(['u1 Up']);
  });

  it('introduces a new worker to all pods, and asks it again while it cannot', async () => {
    await add('u1');
    await add('u2');
    pods.forget(workers[1]!);
    const successor = new PodWorker(1, () => pods);
    successor.onAdd = 'failed';
    pods.introduce(successor);
    await settle();
    expect(successor.heard.splice(0)).deep.equal(['add u1', 'add u2']);
    expect(states()).deep.equal(['u1 Up', 'u2 Up']);
    expect(log.at(-1)).match(/^error a data worker cannot capture a pod that the others serve/);
    successor.onAdd = 'ready';
    clock.advance(5000);
    expect(successor.heard).deep.equal(['add u1', 'add u2']);
    await settle();
    clock.advance(60_000);
    expect(successor.heard).length(2);
  });

  it('gives up what a pod waits for when it is removed', async () => {
    workers[0]!.onAdd = 'failed';
    await failure(add('u1'));
    pods.remove('u1');
    pods.remove('u1');
    await settle();
    expect([pods.havePending, counts.pending, counts.stopped]).deep.equal([false, 0, 0]);
    expect(openDescriptors().length).equal(before);
  });

  it('drops what a snapshot does not name, and what waits when a new agent comes', async () => {
    await add('u1');
    await add('u2');
    workers[0]!.onAdd = 'failed';
    await failure(add('u3'));
    pods.dropPending();
    expect(states()).deep.equal(['u1 Up', 'u2 Up']);
    pods.retain(new Set(['u2', 'u4']));
    expect(states()).deep.equal(['u2 Up']);
  });

  it('does not mind answers about what it does not know', async () => {
    await add('u1');
    pods.onAnswer(workers[0]!, { kind: 'pod-failed', id: 1, message: 'late', byPod: false });
    pods.onAnswer(workers[0]!, { kind: 'pod-ready', id: 99 });
    pods.onAnswer(new PodWorker(7, () => pods), { kind: 'pod-gone', id: 1 });
    expect(states()).deep.equal(['u1 Up']);
  });

  it('carries 500 pods', async () => {
    await Promise.all(Array.from({ length: 500 }, (_, index) => add(`u${index}`)));
    expect([counts.active, workers[1]!.heard.length]).deep.equal([500, 500]);
    pods.retain(new Set());
    await settle();
    expect(openDescriptors().length).equal(before);
  });
});
