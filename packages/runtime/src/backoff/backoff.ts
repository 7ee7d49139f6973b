/** The shape of a growing delay. */
export interface BackoffOptions {
  /** First delay, milliseconds. */
  readonly initialMs: number;
  /** No delay is longer than this before jitter, milliseconds. */
  readonly maxMs: number;
  /** Growth per failure; 2 if absent. */
  readonly factor?: number;
  /** Share by which a delay may differ either way, 0 to 1; 0 if absent. */
  readonly jitter?: number;
  /** Uniform in [0, 1). */
  readonly random?: () => number;
}

/** Exponential delays between attempts: initial, initial x factor, and so on up to the maximum, each with jitter. */
export class Backoff {
  readonly #options: BackoffOptions;
  #attempts = 0;

  constructor(options: BackoffOptions) {
    this.#options = options;
  }

  /** Failures since the start or the last reset. */
  get attempts(): number {
    return this.#attempts;
  }

  /** The delay before the next attempt, in milliseconds; each call counts as one more failure. */
  nextMs(): number {
    const { initialMs, maxMs, factor = 2, jitter = 0, random = Math.random } = this.#options;
    const plainMs = Math.min(maxMs, initialMs * factor ** this.#attempts);
    this.#attempts += 1;
    return plainMs * (1 + jitter * (2 * random() - 1));
  }

  /** To be called on success: the next failure waits the initial delay again. */
  reset(): void {
    this.#attempts = 0;
  }
}
