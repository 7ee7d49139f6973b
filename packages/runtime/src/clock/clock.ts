/**
 * Time as a dependency. Everything that waits or ages takes a clock, so that tests run on a paused one.
 */
export interface Clock {
  /** Unix time in milliseconds. */
  nowMs(): number;
  /**
   * Calls `fn` once, `ms` milliseconds from now; disposing the timer before that cancels it, after that does nothing.
   * The caller owns the timer.
   */
  setTimer(ms: number, fn: () => void): Disposable;
}

/** Node truncates a longer delay to 1 ms, so longer timers are made of several. */
const longestDelayMs = 2 ** 31 - 1;

/** The machine's clock. A timer keeps the process alive until it fires or is disposed. */
export const realClock: Clock = {
  nowMs: () => Date.now(),
  setTimer(ms, fn) {
    let handle: NodeJS.Timeout;
    const arm = (remainingMs: number): void => {
      handle =
        remainingMs > longestDelayMs
          ? setTimeout(() => arm(remainingMs - longestDelayMs), longestDelayMs)
          : setTimeout(fn, Math.max(0, remainingMs));
    };
    arm(ms);
    return { [Symbol.dispose]: () => clearTimeout(handle) };
  },
};
