import type { Clock } from './clock.ts';

interface ManualTimer {
  dueMs: number;
  readonly order: number;
  readonly fn: () => void;
}

/** A paused clock for tests: time stands still until `advance`. */
export class ManualClock implements Clock {
  #nowMs: number;
  #nextOrder = 0;
  readonly #timers = new Set<ManualTimer>();

  /** @param startMs Unix time in milliseconds, by default the start of 2026 in UTC */
  constructor(startMs: number = Date.UTC(2026, 0, 1)) {
    this.#nowMs = startMs;
  }

  nowMs(): number {
    return this.#nowMs;
  }

  setTimer(ms: number, fn: () => void): Disposable {
    const timer: ManualTimer = {
      dueMs: this.#nowMs + Math.max(0, ms),
      order: this.#nextOrder++,
      fn,
    };
    this.#timers.add(timer);
    return { [Symbol.dispose]: () => void this.#timers.delete(timer) };
  }

  /** Sets the clock, as an operator does: no time passes, so that timers fire after as long as before. */
  setTime(nowMs: number): void {
    const stepMs = nowMs - this.#nowMs;
    this.#nowMs = nowMs;
    for (const timer of this.#timers) timer.dueMs += stepMs;
  }

  /** Timers that have neither fired nor been disposed; a test ends with 0 if nothing leaks. */
  get pendingTimers(): number {
    return this.#timers.size;
  }

  /** Milliseconds until the next timer, or undefined if there is none. */
  get nextTimerInMs(): number | undefined {
    const next = this.#earliest();
    return next === undefined ? undefined : next.dueMs - this.#nowMs;
  }

  /**
   * Moves time forward and fires what falls due, in order of time, then of creation; each timer sees its own due time.
   * Timers set by a fired timer fire too if they fall due within the same step.
   */
  advance(ms: number): void {
    const untilMs = this.#nowMs + ms;
    for (;;) {
      const next = this.#earliest();
      if (next === undefined || next.dueMs > untilMs) break;
      this.#timers.delete(next);
      this.#nowMs = next.dueMs;
      next.fn();
    }
    this.#nowMs = untilMs;
  }

  #earliest(): ManualTimer | undefined {
    let best: ManualTimer | undefined;
    for (const timer of this.#timers) {
      if (
        best === undefined ||
        timer.dueMs < best.dueMs ||
        (timer.dueMs === best.dueMs && timer.order < best.order)
      )
        best = timer;
    }
    return best;
  }
}
