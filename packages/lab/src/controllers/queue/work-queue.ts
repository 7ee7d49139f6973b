import { Backoff, describeError, realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { KubeStatusError } from '@ambient/kube';

export interface WorkQueueOptions {
  /** For logs. */
  readonly name: string;
  /** Brings one key into order; a number asks for another look so many milliseconds later. */
  readonly reconcile: (key: string) => Promise<number | undefined>;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Keys that are worked on at the same time; 4 if absent. */
  readonly parallel?: number;
  /** How long further changes are waited for before a look; 0 if absent. Milliseconds. */
  readonly gatherMs?: number;
  readonly random?: () => number;
}

const retries = { initialMs: 20, maxMs: 30_000, jitter: 0.1 };

/**
 * Keys whose objects want a look. A key that is added many times is looked at once; one that is added during its look is looked at
 * again afterwards, never twice at the same time. A failure is tried again after a growing delay. Without keys it does nothing.
 */
export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #clock: Clock;
  readonly #due = new Set<string>();
  readonly #active = new Map<string, Promise<void>>();
  /** Keys that were added while they were worked on. */
  readonly #again = new Set<string>();
  readonly #timers = new Map<string, { readonly dueMs: number; readonly timer: Disposable }>();
  readonly #failures = new Map<string, Backoff>();
  #pumping: Disposable | undefined;
  #stopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
  }

  /** Nothing is due or being worked on; looks that were asked for later may be left. */
  get idle(): boolean {
    return this.#due.size === 0 && this.#active.size === 0;
  }

  add(key: string): void {
    if (this.#stopped) return;
    if (this.#active.has(key)) this.#again.add(key);
    else {
      this.#due.add(key);
      this.#schedule();
    }
  }

  /** Adds the key after a delay; of several delays the shortest counts. */
  addAfter(key: string, delayMs: number): void {
    if (this.#stopped) return;
    const dueMs = this.#clock.nowMs() + delayMs;
    const known = this.#timers.get(key);
    if (known !== undefined && known.dueMs <= dueMs) return;
    known?.timer[Symbol.dispose]();
    const timer = this.#clock.setTimer(delayMs, () => {
      this.#timers.delete(key);
      this.add(key);
    });
    this.#timers.set(key, { dueMs, timer });
  }

  /** Resolves when nothing is worked on any more. */
  async stop(): Promise<void> {
    this.#stopped = true;
    this.#due.clear();
    this.#again.clear();
    this.#pumping?.[Symbol.dispose]();
    for (const { timer } of this.#timers.values()) timer[Symbol.dispose]();
    this.#timers.clear();
    await Promise.all(this.#active.values());
  }

  /** In a turn of its own: what arrives together is looked at together. */
  #schedule(): void {
    if (this.#pumping !== undefined) return;
    const { gatherMs = 0 } = this.#options;
    const pump = (): void => {
      this.#pumping = undefined;
      this.#pump();
    };
    if (gatherMs > 0) this.#pumping = this.#clock.setTimer(gatherMs, pump);
    else {
      const turn = setImmediate(pump);
      this.#pumping = { [Symbol.dispose]: () => clearImmediate(turn) };
    }
  }

  #pump(): void {
    const { parallel = 4 } = this.#options;
    for (const key of this.#due) {
      if (this.#stopped || this.#active.size >= parallel) return;
      this.#due.delete(key);
      this.#active.set(key, this.#work(key));
    }
  }

  async #work(key: string): Promise<void> {
    try {
      const nextMs = await this.#options.reconcile(key);
      this.#failures.delete(key);
      if (nextMs !== undefined) this.addAfter(key, nextMs);
    } catch (error) {
      this.#failed(key, error);
    }
    this.#active.delete(key);
    if (this.#again.delete(key)) this.add(key);
    else if (this.#due.size > 0) this.#schedule();
  }

  #failed(key: string, error: unknown): void {
    if (this.#stopped) return;
    const { random, log, name } = this.#options;
    let backoff = this.#failures.get(key);
    if (backoff === undefined) {
      backoff = new Backoff({ ...retries, ...(random === undefined ? {} : { random }) });
      this.#failures.set(key, backoff);
    }
    const delayMs = Math.round(backoff.nextMs());
    log.log(
      isOvertaken(error) ? 'debug' : 'warn',
      `${name}: cannot bring an object into order, trying again`,
      {
        object: key,
        error: describeError(error),
        retry_in: `${delayMs}ms`,
      },
    );
    this.addAfter(key, delayMs);
  }
}

/** Somebody else was quicker, which a fresh look takes into account. */
export function isOvertaken(error: unknown): boolean {
  return error instanceof KubeStatusError && (error.status === 409 || error.status === 404);
}
