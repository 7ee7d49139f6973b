import type { Clock } from '@ambient/runtime';

/** Responses shorter than this are not counted. */
const countedBytes = 256 * 1024;
/** After this, a response that its client does not read no longer keeps others from theirs. */
const patienceMs = 5000;

/**
 * Bounds the memory of long responses that are written and not yet on the network: who wants the next one waits until earlier
 * ones are out.
 */
export class WriteBudget {
  readonly #clock: Clock;
  readonly #maxBytes: number;
  #bytes = 0;
  #waiting = new Set<() => void>();

  constructor(clock: Clock, maxBytes: number) {
    this.#clock = clock;
    this.#maxBytes = maxBytes;
  }

  get isSpent(): boolean {
    return this.#bytes >= this.#maxBytes;
  }

  /** Calls back once when it is no longer spent. */
  wait(freed: () => void): void {
    this.#waiting.add(freed);
  }

  leave(freed: () => void): void {
    this.#waiting.delete(freed);
  }

  /** Counts a response; disposing what this returns says that it is out, or that its stream is over. */
  take(bytes: number): Disposable | undefined {
    if (bytes < countedBytes) return undefined;
    this.#bytes += bytes;
    let held = true;
    const give = (): void => {
      if (!held) return;
      held = false;
      timer[Symbol.dispose]();
      this.#bytes -= bytes;
      this.#wake();
    };
    const timer = this.#clock.setTimer(patienceMs, give);
    return { [Symbol.dispose]: give };
  }

  #wake(): void {
    for (const freed of [...this.#waiting]) {
      if (this.isSpent) return;
      this.#waiting.delete(freed);
      freed();
    }
  }
}
