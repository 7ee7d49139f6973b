/** How often one caller may ask: a token bucket each (tokens of allowance, not of authentication). */
export interface CallerLimit {
  /** Requests that may come at once after a quiet time. */
  readonly burst: number;
  /** Requests a second that may go on for ever. */
  readonly perSecond: number;
}

interface Bucket {
  allowance: number;
  atMs: number;
}

/**
 * Buckets by caller. Bounded: the one that was not used for longest is forgotten when room is needed.
 */
export class CallerLimits {
  readonly #maxCallers: number;
  /** In the order of last use. */
  readonly #buckets = new Map<string, Bucket>();

  constructor(maxCallers = 20_000) {
    this.#maxCallers = maxCallers;
  }

  get callers(): number {
    return this.#buckets.size;
  }

  /** Takes one request out of the caller's allowance. @returns 0 if it may go on; else milliseconds until it may */
  take(caller: string, limit: CallerLimit, nowMs: number): number {
    const bucket = this.#buckets.get(caller) ?? { allowance: limit.burst, atMs: nowMs };
    // A clock that was set back adds nothing.
    const elapsedMs = Math.max(0, nowMs - bucket.atMs);
    bucket.allowance = Math.min(limit.burst, bucket.allowance + (elapsedMs * limit.perSecond) / 1000);
    bucket.atMs = nowMs;
    this.#buckets.delete(caller);
    this.#buckets.set(caller, bucket);
    if (this.#buckets.size > this.#maxCallers) {
      const oldest = this.#buckets.keys().next();
      if (oldest.done !== true) this.#buckets.delete(oldest.value);
    }
    if (bucket.allowance < 1) return Math.ceil(((1 - bucket.allowance) * 1000) / limit.perSecond);
    bucket.allowance -= 1;
    return 0;
  }

  /** Undoes one {@link take}. */
  giveBack(caller: string, limit: CallerLimit): void {
    const bucket = this.#buckets.get(caller);
    if (bucket !== undefined) bucket.allowance = Math.min(limit.burst, bucket.allowance + 1);
  }
}
