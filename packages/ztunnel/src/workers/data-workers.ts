import { Backoff, describeError, RetryTimer } from '@ambient/runtime';
import type { Clock, Logger, SeriesDelta } from '@ambient/runtime';
import type {
  CollectedConnections,
  ConnectionReport,
  EndedConnectionReport,
  FromWorker,
  ToWorker,
} from '../worker/messages.ts';
import type { SpawnWorker, WorkerThread } from './worker-thread.ts';

/** A data worker as the other parts of the main thread know it; what is posted to one that has died is lost. */
export interface WorkerLink {
  readonly index: number;
  post(message: ToWorker): void;
}

/** What a worker asks of the main thread. */
export type WorkerRequest = Extract<
  FromWorker,
  {
    readonly kind:
      'need-certificate' | 'resolve' | 'demand' | 'log' | 'pod-ready' | 'pod-failed' | 'pod-gone';
  }
>;

/** Ports that the workers share. */
export type BoundPorts = Extract<FromWorker, { readonly kind: 'bound' }>['ports'];

/** One worker's answer to `collect`. */
export interface Collected {
  readonly worker: WorkerLink;
  readonly series: readonly SeriesDelta[];
  readonly connections: readonly ConnectionReport[];
  readonly ended?: readonly EndedConnectionReport[];
}

export interface DataWorkersOptions {
  readonly count: number;
  readonly spawn: SpawnWorker;
  /** What a worker is started with; asked at every start, since log levels change. */
  readonly start: (index: number) => Parameters<SpawnWorker>[0];
  /** Posts to a new worker everything that those before it have been told. */
  readonly introduce: (worker: WorkerLink) => void;
  readonly onRequest: (worker: WorkerLink, request: WorkerRequest) => void;
  /** How many workers have their listeners bound now. */
  readonly onServing?: (serving: number) => void;
  /** A worker is gone, with what it had counted and not reported. */
  readonly onGone?: (worker: WorkerLink) => void;
  readonly clock: Clock;
  readonly random: () => number;
  readonly log: Logger;
}

/** A worker could not begin to serve when the process started. */
export class WorkerStartError extends Error {
  readonly code = 'WORKER_START';
  constructor(index: number, reason: string, options?: ErrorOptions) {
    super(`data worker ${index} could not start: ${reason}`, options);
    this.name = 'WorkerStartError';
  }
}

/** The life of a worker's place. Only {@link DataWorkers} moves it on. */
type SlotState =
  | { readonly kind: 'starting' | 'serving'; readonly thread: WorkerThread; readonly sinceMs: number }
  /** Died; its successor waits for its turn. */
  | { readonly kind: 'resting' }
  /** Told to drain. */
  | { readonly kind: 'draining'; readonly thread: WorkerThread; readonly sinceMs: number }
  /** Told to stop. */
  | { readonly kind: 'stopping'; readonly thread: WorkerThread; readonly sinceMs: number }
  | { readonly kind: 'ended' };

interface Slot {
  readonly index: number;
  state: SlotState;
  /** Of the worker that is there now; replaced with it. */
  link: WorkerLink | undefined;
  /** The text of `fatal`, until the thread has ended. */
  fatal: string | undefined;
  readonly retry: RetryTimer;
  readonly drained: PromiseWithResolvers<number>;
  readonly ended: PromiseWithResolvers<void>;
}

interface Collection {
  readonly awaited: Set<WorkerLink>;
  readonly answers: Collected[];
  readonly finish: () => void;
}

const restartInitialMs = 100;
const restartMaxMs = 30_000;
/** A worker that lived this long was no failed start: its successor comes at once. */
const provenMs = 60_000;
const collectTimeoutMs = 1000;
/** How long a worker may take to obey `stop` before its thread is ended by force. */
const stopPatienceMs = 1000;

/**
 * The data workers of the process. One that dies takes its own connections with it and nothing else: it is named in the
 * log and replaced, and its successor is told all that its siblings know.
 */
export class DataWorkers {
  readonly #options: DataWorkersOptions;
  readonly #log: Logger;
  readonly #slots: Slot[];
  readonly #collections = new Map<number, Collection>();
  readonly #bound = Promise.withResolvers<BoundPorts>();
  #ports: BoundPorts | undefined;
  /** False until every worker has been bound once: a worker that dies before that fails the start of the process. */
  #started = false;
  #ending = false;
  #nextCollection = 1;

  constructor(options: DataWorkersOptions) {
    this.#options = options;
    this.#log = options.log;
    // Who starts may not be listening yet when a worker fails.
    this.#bound.promise.catch(() => {});
    this.#slots = Array.from({ length: options.count }, (_, index) => ({
      index,
      state: { kind: 'resting' },
      link: undefined,
      fatal: undefined,
      retry: new RetryTimer(
        options.clock,
        new Backoff({
          initialMs: restartInitialMs,
          maxMs: restartMaxMs,
          jitter: 0.2,
          random: options.random,
        }),
      ),
      drained: Promise.withResolvers<number>(),
      ended: Promise.withResolvers<void>(),
    }));
  }

  /** Starts all workers. */
  start(): void {
    for (const slot of this.#slots) this.#spawn(slot);
  }

  /** Settles when every worker has bound its listeners. @throws WorkerStartError if one died before that */
  get bound(): Promise<BoundPorts> {
    return this.#bound.promise;
  }

  /** Workers whose listeners are bound and that accept, or will after `start`. */
  get serving(): number {
    return this.#slots.filter((slot) => slot.state.kind === 'serving').length;
  }

  /** To every worker there is; one that comes later learns it by `introduce`. */
  broadcast(message: ToWorker): void {
    for (const slot of this.#slots) slot.link?.post(message);
  }

  /** Asks every worker for its counts, and its connections if wanted; a worker that does not answer is left out. */
  collect(connections: CollectedConnections): Promise<readonly Collected[]> {
    const links = this.#slots.flatMap((slot) => (slot.link === undefined ? [] : [slot.link]));
    if (links.length === 0) return Promise.resolve([]);
    const id = this.#nextCollection++;
    return new Promise((resolve) => {
      const answers: Collected[] = [];
      const finish = (): void => {
        timer[Symbol.dispose]();
        this.#collections.delete(id);
        resolve(answers);
      };
      const timer = this.#options.clock.setTimer(collectTimeoutMs, () => {
        const silent = [...collection.awaited].map((link) => link.index).join(', ');
        this.#log.warn('data workers did not report in time', { workers: silent });
        finish();
      });
      const collection: Collection = { awaited: new Set(links), answers, finish };
      this.#collections.set(id, collection);
      for (const link of links) link.post({ kind: 'collect', id, connections });
    });
  }

  /**
   * Lets every worker end its connections.
   *
   * @param deadlineMs from now; what is left then is cut by the worker
   * @returns the number of connections that were cut, when all workers are done
   */
  async drain(deadlineMs: number): Promise<number> {
    this.#ending = true;
    for (const slot of this.#slots) {
      const { state } = slot;
      if (state.kind === 'resting') this.#endSlot(slot);
      if (state.kind !== 'starting' && state.kind !== 'serving') continue;
      slot.state = { ...state, kind: 'draining' };
      state.thread.post({ kind: 'drain', deadlineMs });
    }
    const cut = await Promise.all(this.#slots.map((slot) => slot.drained.promise));
    return cut.reduce((sum, count) => sum + count, 0);
  }

  /** Ends every worker, cutting what it carries; settles when all threads have ended. */
  async stop(): Promise<void> {
    this.#ending = true;
    const timers: Disposable[] = [];
    for (const slot of this.#slots) {
      const { state } = slot;
      if (state.kind === 'resting') this.#endSlot(slot);
      if (state.kind === 'ended' || state.kind === 'resting' || state.kind === 'stopping') continue;
      slot.state = { ...state, kind: 'stopping' };
      state.thread.post({ kind: 'stop' });
      timers.push(
        this.#options.clock.setTimer(stopPatienceMs, () => {
          if (slot.state.kind === 'ended') return;
          this.#log.warn('data worker does not stop, ending its thread', { worker: slot.index });
          state.thread.terminate();
        }),
      );
    }
    await Promise.all(this.#slots.map((slot) => slot.ended.promise));
    for (const timer of timers) timer[Symbol.dispose]();
  }

  #spawn(slot: Slot): void {
    const { spawn, start, introduce, clock } = this.#options;
    let link: WorkerLink;
    try {
      const thread = spawn(start(slot.index), {
        onMessage: (message) => this.#receive(slot, link, message),
        onEnd: (error) => this.#ended(slot, link, error),
      });
      link = { index: slot.index, post: (message) => thread.post(message) };
      slot.link = link;
      slot.state = { kind: 'starting', thread, sinceMs: clock.nowMs() };
    } catch (error) {
      // No memory or no descriptor for another thread.
      this.#failed(slot, describeError(error), error);
      return;
    }
    introduce(link);
  }

  #receive(slot: Slot, link: WorkerLink, message: FromWorker): void {
    switch (message.kind) {
      case 'bound':
        this.#boundBy(slot, message.ports);
        break;
      case 'fatal':
        slot.fatal = message.message;
        break;
      case 'collected':
        this.#collected(message.id, link, message);
        break;
      case 'drained':
        slot.drained.resolve(message.cut);
        break;
      case 'stopped':
        break; // its end follows
      default:
        this.#options.onRequest(link, message);
    }
  }

  #boundBy(slot: Slot, ports: BoundPorts): void {
    if (slot.state.kind !== 'starting') return;
    slot.state = { ...slot.state, kind: 'serving' };
    this.#ports ??= ports;
    this.#options.onServing?.(this.serving);
    if (this.#started) {
      this.#log.info('data worker is back', { worker: slot.index });
      return;
    }
    if (this.serving < this.#slots.length) return;
    this.#started = true;
    this.#bound.resolve(this.#ports);
  }

  #ended(slot: Slot, link: WorkerLink, error: Error | undefined): void {
    const { state, fatal } = slot;
    slot.link = undefined;
    slot.fatal = undefined;
    for (const [id, collection] of this.#collections) this.#collected(id, link, undefined, collection);
    this.#options.onGone?.(link);
    if (state.kind === 'stopping' || state.kind === 'draining' || this.#ending) {
      if (state.kind === 'draining' && (error !== undefined || fatal !== undefined))
        this.#log.error('data worker died while draining; its connections are lost', {
          worker: slot.index,
          error: fatal ?? describeError(error),
        });
      this.#endSlot(slot);
      return;
    }
    const reason = fatal ?? describeEnd(error);
    if (state.kind === 'serving' || state.kind === 'starting') {
      if (this.#options.clock.nowMs() - state.sinceMs >= provenMs) slot.retry.reset();
    }
    this.#failed(slot, reason, error);
  }

  /** A worker died, or did not come to life: the process fails if it is just starting, else another one is tried. */
  #failed(slot: Slot, reason: string, cause: unknown): void {
    const wasServing = slot.state.kind === 'serving';
    slot.state = { kind: 'resting' };
    if (wasServing) this.#options.onServing?.(this.serving);
    if (!this.#started) {
      this.#bound.reject(new WorkerStartError(slot.index, reason, { cause }));
      return;
    }
    const retryMs = slot.retry.schedule(() => this.#spawn(slot));
    this.#log.error(
      wasServing
        ? 'data worker died: its connections are lost, a new one takes its place'
        : 'data worker could not be replaced, trying again',
      { worker: slot.index, retry_in: `${Math.round(retryMs)}ms`, serving: this.serving, error: reason },
    );
  }

  #endSlot(slot: Slot): void {
    slot.retry[Symbol.dispose]();
    slot.state = { kind: 'ended' };
    slot.drained.resolve(0);
    slot.ended.resolve();
  }

  #collected(
    id: number,
    link: WorkerLink,
    answer: Omit<Collected, 'worker'> | undefined,
    collection = this.#collections.get(id),
  ): void {
    if (collection === undefined || !collection.awaited.delete(link)) return;
    if (answer !== undefined)
      collection.answers.push({
        worker: link,
        series: answer.series,
        connections: answer.connections,
        ended: answer.ended ?? [],
      });
    if (collection.awaited.size === 0) collection.finish();
  }
}

/** What a thread died of that could not say it. */
function describeEnd(error: Error | undefined): string {
  if (error === undefined) return 'it ended by itself';
  const text = describeError(error);
  return (error as NodeJS.ErrnoException).code === 'ERR_WORKER_OUT_OF_MEMORY'
    ? `${text}. Give the container more memory, of which each worker's heap is a share; what it had outside of its heap stays taken until the process ends`
    : text;
}
