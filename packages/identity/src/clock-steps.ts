import type { Clock } from '@ambient/runtime';

export interface ClockStepsOptions {
  readonly clock: Clock;
  /** The time is another than the timers that are set go by. */
  readonly onStep: () => void;
}

const tickMs = 10_000;
/** What a busy machine is late by, and what adjusts a clock little by little, is less. */
const toleratedMs = 5000;

/**
 * Notices within seconds that the clock was set, or that the machine slept: timers count time that passes, certificates end
 * by the clock.
 */
export class ClockSteps implements Disposable {
  readonly #options: ClockStepsOptions;
  #timer: Disposable | undefined;

  constructor(options: ClockStepsOptions) {
    this.#options = options;
    this.#tick();
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  #tick(): void {
    const { clock, onStep } = this.#options;
    const dueMs = clock.nowMs() + tickMs;
    this.#timer = clock.setTimer(tickMs, () => {
      const stepped = Math.abs(clock.nowMs() - dueMs) > toleratedMs;
      this.#tick();
      if (stepped) onStep();
    });
  }
}
