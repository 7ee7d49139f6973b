import type { Clock } from '@ambient/runtime';

/** Whether a ztunnel is connected, for those who would rather wait for one. */
export class ZtunnelArrivals {
  readonly #clock: Clock;
  readonly #waiting = new Set<() => void>();
  #connected = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  changed(connected: number): void {
    this.#connected = connected;
    if (connected > 0) for (const resolve of this.#waiting) resolve();
  }

  /** Resolves when one is connected, at the latest after that many milliseconds. */
  within(ms: number): Promise<void> {
    if (this.#connected > 0) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        timer[Symbol.dispose]();
        this.#waiting.delete(end);
        resolve();
      };
      const timer = this.#clock.setTimer(ms, end);
      this.#waiting.add(end);
    });
  }
}
