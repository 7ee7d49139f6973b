import { takeLeakSnapshot } from '@ambient/testkit';
import { expect } from 'chai';
import type { FromWorker } from '../worker/messages.ts';
import { threadSpawner } from './worker-thread.ts';
import type { WorkerThread } from './worker-thread.ts';

const entry = new URL('../testing/fake-worker.ts', import.meta.url);

/** A real thread, waiting inside epoll, and what comes of it. */
function spawn(index = 0) {
  const bound = Promise.withResolvers<void>();
  const ended = Promise.withResolvers<Error | undefined>();
  const messages: FromWorker[] = [];
  const thread: WorkerThread = threadSpawner(entry)(
    { index, settings: {} as never, logLevels: 'info', logFormat: 'plain' },
    {
      onMessage(message) {
        messages.push(message);
        if (message.kind === 'bound') bound.resolve();
      },
      onEnd: ended.resolve,
    },
  );
  return { thread, messages, bound: bound.promise, ended: ended.promise };
}

describe('a data worker thread', () => {
  it('is woken from its reactor by a message, and ends when told', async () => {
    const { thread, messages, bound, ended } = spawn();
    await bound;
    thread.post({ kind: 'drain', deadlineMs: 1 });
    thread.post({ kind: 'stop' });
    expect(await ended).equal(undefined);
    expect(messages.map(({ kind }) => kind)).deep.equal(['bound', 'log', 'drained', 'log', 'stopped']);
    thread.post({ kind: 'stop' });
    thread.terminate();
  });

  it('reports what it died of', async () => {
    const { thread, bound, ended } = spawn();
    await bound;
    thread.post({ kind: 'log-levels', levels: 'die=info' });
    expect((await ended)?.message).equal('told to die');
  });

  it('can be ended while it waits, and leaves no descriptor', async () => {
    const before = takeLeakSnapshot({ pids: { self: process.pid } }).descriptors;
    const { thread, bound, ended } = spawn();
    await bound;
    thread.terminate();
    expect(await ended).instanceOf(Error);
    expect(takeLeakSnapshot({ pids: { self: process.pid } }).descriptors).deep.equal(before);
  });
});
