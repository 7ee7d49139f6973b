import type { Reactor, Timer } from '@ambient/linux';
import { TimerWheel } from '@ambient/linux';

/** The timers of a reactor, on a clock that only the test moves. */
export class PausedTimers {
  #nowMs = 0;
  readonly #wheel = new TimerWheel(0);
  /** For what takes a reactor and uses its clock and timers only. */
  readonly reactor: Reactor;

  constructor() {
    const nowMs = (): number => this.#nowMs;
    this.reactor = {
      get nowMs() {
        return nowMs();
      },
      setTimer: (timer: Timer, delayMs: number): void => {
        this.#wheel.set(timer, this.#nowMs, delayMs);
      },
      cancelTimer: (timer: Timer): void => {
        this.#wheel.cancel(timer);
      },
    } as unknown as Reactor;
  }

  /** Timers that are armed. */
  get count(): number {
    return this.#wheel.count;
  }

  advance(milliseconds: number): void {
    this.#nowMs += milliseconds;
    this.#wheel.expire(this.#nowMs, (error) => {
      throw error as Error;
    });
  }
}
