import type { Clock } from '../clock/clock.ts';
import type { Backoff } from './backoff.ts';

/** One attempt waiting for its turn: couples a {@link Backoff} with a clock and owns at most one timer. */
export class RetryTimer implements Disposable {
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #timer: Disposable | undefined;

  constructor(clock: Clock, backoff: Backoff) {
    this.#clock = clock;
    this.#backoff = backoff;
  }

  /** True while an attempt is waiting. */
  get waiting(): boolean {
    return this.#timer !== undefined;
  }

  /**
   * Runs `attempt` after the next delay, replacing an attempt that is still waiting.
   *
   * @returns the delay in milliseconds, for the log
   */
  schedule(attempt: () => void): number {
    this.cancel();
    const delayMs = this.#backoff.nextMs();
    this.#timer = this.#clock.setTimer(delayMs, () => {
      this.#timer = undefined;
      attempt();
    });
    return delayMs;
  }

  /** Forgets past failures and the waiting attempt. */
  reset(): void {
    this.cancel();
    this.#backoff.reset();
  }

  cancel(): void {
    this.#timer?.[Symbol.dispose]();
    this.#timer = undefined;
  }

  [Symbol.dispose](): void {
    this.cancel();
  }
}
