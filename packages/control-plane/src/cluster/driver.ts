import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import type { Batch } from './claims.ts';

/** The part of the engine that a driver needs. */
export interface Workable {
  work(enough: () => boolean): boolean;
  takeBatch(): Batch | undefined;
}

export interface DriverOptions {
  readonly engine: Workable;
  readonly onBatch: (batch: Batch) => void;
  /** Called once: everything that was there at the start has been derived and handed on. */
  readonly onFirst?: () => void;
  readonly clock?: Clock;
  /** How long changes are gathered before they are worked on; 10 ms if absent. Milliseconds. */
  readonly debounceMs?: number;
  /** What is ready by then is handed on even if changes keep coming; 500 ms if absent. Milliseconds. */
  readonly maxDelayMs?: number;
  /** Work between two turns of the event loop; 10 ms if absent. Milliseconds. */
  readonly sliceMs?: number;
  /** Lets the event loop turn. */
  readonly defer?: (fn: () => void) => void;
}

/**
 * Decides when the engine works: a little after a change, in slices that let requests and streams be served in between, and
 * all that a burst has changed is handed on at once.
 */
export class Driver implements Disposable {
  readonly #options: DriverOptions;
  readonly #clock: Clock;
  #state: 'stopped' | 'idle' | 'gathering' | 'working' = 'stopped';
  #timer: Disposable | undefined;
  #sinceMs = 0;
  #first = true;

  constructor(options: DriverOptions) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
  }

  /** To be called when the cluster has been listed: begins with all that is there. */
  start(): void {
    if (this.#state !== 'stopped') return;
    this.#begin();
  }

  /** To be called when there is work after there was none (`EngineOptions.onWork`). */
  wake(): void {
    if (this.#state !== 'idle') return;
    this.#state = 'gathering';
    this.#sinceMs = this.#clock.nowMs();
    this.#timer = this.#clock.setTimer(this.#options.debounceMs ?? 10, () => this.#begin());
  }

  [Symbol.dispose](): void {
    this.#state = 'stopped';
    this.#timer?.[Symbol.dispose]();
  }

  #begin(): void {
    if (this.#state === 'stopped') this.#sinceMs = this.#clock.nowMs();
    this.#state = 'working';
    this.#slice();
  }

  #slice(): void {
    if (this.#state !== 'working') return;
    const { engine, sliceMs = 10, maxDelayMs = 500, defer = setImmediate } = this.#options;
    const startedMs = this.#clock.nowMs();
    const done = engine.work(() => this.#clock.nowMs() - startedMs >= sliceMs);
    if (!done) {
      // The first state is handed on whole: a part of a mesh would be taken for all of it.
      if (!this.#first && this.#clock.nowMs() - this.#sinceMs >= maxDelayMs) {
        this.#handOn();
        this.#sinceMs = this.#clock.nowMs();
      }
      defer(() => this.#slice());
      return;
    }
    this.#state = 'idle';
    this.#handOn();
    if (!this.#first) return;
    this.#first = false;
    this.#options.onFirst?.();
  }

  #handOn(): void {
    const batch = this.#options.engine.takeBatch();
    if (batch !== undefined) this.#options.onBatch(batch);
  }
}
