import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { recordingLog } from '../testing/log-lines.ts';
import type { FromWorker, ToWorker } from '../worker/messages.ts';
import { DataWorkers, WorkerStartError } from './data-workers.ts';
import type { DataWorkersOptions } from './data-workers.ts';
import type { WorkerThreadEvents } from './worker-thread.ts';

const ports = { outbound: 1, inboundPlaintext: 2, inbound: 3 };

/** A thread that a test plays. */
interface FakeThread {
  readonly index: number;
  readonly posted: ToWorker[];
  terminated: boolean;
  say(message: FromWorker): void;
  end(error?: Error): void;
}

function setup(count = 2, over: Partial<DataWorkersOptions> = {}) {
  const clock = new ManualClock(0);
  const { log, lines } = recordingLog('workers');
  const threads: FakeThread[] = [];
  const serving: number[] = [];
  const gone: number[] = [];
  const requests: string[] = [];
  const workers = new DataWorkers({
    count,
    spawn(start, events: WorkerThreadEvents) {
      const thread: FakeThread = {
        index: start.index,
        posted: [],
        terminated: false,
        say: (message) => events.onMessage(message),
        end: (error) => events.onEnd(error),
      };
      threads.push(thread);
      return {
        post: (message) => void thread.posted.push(message),
        terminate: () => {
          thread.terminated = true;
        },
      };
    },
    start: (index) => ({ index, settings: {} as never, logLevels: 'info', logFormat: 'plain' }),
    introduce: (worker) => worker.post({ kind: 'start' }),
    onRequest: (worker, request) => requests.push(`${worker.index} ${request.kind}`),
    onServing: (n) => serving.push(n),
    onGone: (worker) => gone.push(worker.index),
    clock,
    random: () => 0.5,
    log,
    ...over,
  });
  const bindAll = (): void => {
    for (const thread of threads) thread.say({ kind: 'bound', ports });
  };
  return { clock, lines, threads, serving, gone, requests, workers, bindAll };
}

const kinds = (thread: FakeThread): string[] => thread.posted.map(({ kind }) => kind);

describe('DataWorkers', () => {
  it('introduces every worker, and tells when all are bound', async () => {
    const { workers, threads, serving, bindAll } = setup();
    workers.start();
    expect(threads.map(kinds)).deep.equal([['start'], ['start']]);
    bindAll();
    expect(await workers.bound).equal(ports);
    expect([serving, workers.serving]).deep.equal([[1, 2], 2]);
  });

  it('fails the start of the process with the reason that a worker gives', async () => {
    const { workers, threads } = setup();
    workers.start();
    threads[1]!.say({ kind: 'fatal', message: 'port 15001 is taken' });
    threads[1]!.end();
    const error = await workers.bound.then(
      () => undefined,
      (reason: unknown) => reason,
    );
    expect(error).instanceOf(WorkerStartError);
    expect((error as Error).message).equal('data worker 1 could not start: port 15001 is taken');
    expect(threads).length(2);
  });

  it('replaces a worker that died, names the cause, and does so more slowly each time', () => {
    const { workers, threads, clock, lines, serving, gone, bindAll } = setup();
    workers.start();
    bindAll();
    threads[0]!.say({ kind: 'fatal', message: 'boom' });
    threads[0]!.end();
    expect(lines).deep.equal([
      'error\tworkers\tdata worker died: its connections are lost, a new one takes its place\tworker=0 retry_in="100ms" serving=1 error="boom"',
    ]);
    clock.advance(99);
    expect(threads).length(2);
    clock.advance(1);
    expect([threads[2]!.index, kinds(threads[2]!)]).deep.equal([0, ['start']]);
    threads[2]!.say({ kind: 'fatal', message: 'no memory' });
    threads[2]!.end(new Error('exited'));
    expect(lines[1]).match(/could not be replaced.*retry_in="200ms" serving=1 error="no memory"/);
    clock.advance(200);
    threads[3]!.say({ kind: 'bound', ports });
    expect(lines[2]).match(/data worker is back/);
    expect([serving, gone]).deep.equal([
      [1, 2, 1, 2],
      [0, 0],
    ]);
    // One that lived long is no failed start.
    clock.advance(60_000);
    threads[3]!.say({ kind: 'stopped' });
    threads[3]!.end();
    expect(lines[3]).match(/retry_in="100ms".*it ended by itself/);
  });

  it('replaces a worker that was ended with its heap full, and says what to do', () => {
    const { workers, threads, serving, clock, lines, bindAll } = setup(2);
    workers.start();
    bindAll();
    threads[0]!.end(Object.assign(new Error('JS heap out of memory'), { code: 'ERR_WORKER_OUT_OF_MEMORY' }));
    expect(lines[0]).match(/data worker died: .*JS heap out of memory.*Give the container more memory/);
    clock.advance(100);
    threads[2]!.say({ kind: 'bound', ports });
    expect([threads.length, serving]).deep.equal([3, [1, 2, 1, 2]]);
  });

  it('hands on what workers ask, and loses what is posted to a dead one', () => {
    const { workers, threads, requests, bindAll } = setup();
    workers.start();
    bindAll();
    threads[1]!.say({ kind: 'demand', key: '/10.0.0.1' });
    threads[0]!.end();
    workers.broadcast({ kind: 'log-levels', levels: 'debug' });
    expect(requests).deep.equal(['1 demand']);
    expect(threads.map(kinds)).deep.equal([['start'], ['start', 'log-levels']]);
  });

  it('collects from all, without those that die or are silent', async () => {
    const { workers, threads, clock, lines, bindAll } = setup(3);
    workers.start();
    bindAll();
    const collecting = workers.collect('live');
    const { id } = threads[0]!.posted.at(-1) as Extract<ToWorker, { kind: 'collect' }>;
    const answer = { kind: 'collected', id, series: [], connections: [] } as const;
    threads[0]!.say(answer);
    threads[1]!.say({ kind: 'stopped' });
    threads[1]!.end();
    clock.advance(1000);
    expect((await collecting).map(({ worker }) => worker.index)).deep.equal([0]);
    expect(lines.at(-1)).equal('warn\tworkers\tdata workers did not report in time\tworkers="2"');
    threads[2]!.say(answer);
    const again = workers.collect('none');
    threads[0]!.say({ ...answer, id: id + 1 });
    threads[3]!.end();
    threads[2]!.say({ ...answer, id: id + 1 });
    expect(await again).length(2);
  });

  it('drains: adds up what was cut, starts nobody anew, and counts the dead as done', async () => {
    const { workers, threads, clock, lines, bindAll } = setup(3);
    workers.start();
    bindAll();
    threads[2]!.say({ kind: 'fatal', message: 'boom' });
    threads[2]!.end();
    const draining = workers.drain(5000);
    expect(threads[0]!.posted.at(-1)).deep.equal({ kind: 'drain', deadlineMs: 5000 });
    threads[0]!.say({ kind: 'drained', cut: 3 });
    threads[1]!.end(new Error('bang'));
    expect(await draining).equal(3);
    expect(lines.at(-1)).match(/died while draining.*worker=1 error="bang"/);
    expect([threads.length, clock.pendingTimers]).deep.equal([3, 0]);
  });

  it('stops: asks first, ends by force who does not obey, leaves no timer', async () => {
    const { workers, threads, clock, lines, bindAll } = setup();
    workers.start();
    bindAll();
    const stopping = workers.stop();
    expect(threads.map(kinds)).deep.equal([
      ['start', 'stop'],
      ['start', 'stop'],
    ]);
    threads[0]!.say({ kind: 'stopped' });
    threads[0]!.end();
    clock.advance(1000);
    expect(threads.map(({ terminated }) => terminated)).deep.equal([false, true]);
    threads[1]!.end();
    await stopping;
    expect(lines).deep.equal(['warn\tworkers\tdata worker does not stop, ending its thread\tworker=1']);
    expect(clock.pendingTimers).equal(0);
  });

  it('tries again when not even a thread can be had', () => {
    let broken = false;
    const threads: WorkerThreadEvents[] = [];
    const { workers, clock, lines } = setup(1, {
      spawn(_, events) {
        if (broken) throw new Error('EMFILE');
        threads.push(events);
        return { post: () => {}, terminate: () => {} };
      },
    });
    workers.start();
    threads[0]!.onMessage({ kind: 'bound', ports });
    broken = true;
    threads[0]!.onMessage({ kind: 'fatal', message: 'boom' });
    threads[0]!.onEnd(undefined);
    clock.advance(100);
    expect(lines.at(-1)).match(/could not be replaced.*retry_in="200ms".*error="EMFILE"/);
    broken = false;
    clock.advance(200);
    threads[1]!.onMessage({ kind: 'bound', ports });
    expect(workers.serving).equal(1);
  });
});
