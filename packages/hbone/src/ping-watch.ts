/** Whether the peer is there, and how far away: one PING at a time. */
export class PingWatch {
  readonly #timeoutMs: number;
  #sentAtMs = -1;
  /** PINGs sent; the number of the last is its payload. */
  count = 0;

  constructor(timeoutMs: number) {
    this.#timeoutMs = timeoutMs;
  }

  /** A PING has been sent and not been answered. */
  get outstanding(): boolean {
    return this.#sentAtMs >= 0;
  }

  /** Begins another. @returns its payload */
  start(nowMs: number): number {
    this.#sentAtMs = nowMs;
    return ++this.count;
  }

  /** An answer has come. @returns the round trip in milliseconds; undefined when nobody asked that */
  onAnswer(payload: number, nowMs: number): number | undefined {
    if (payload !== this.count || !this.outstanding) return undefined;
    const roundTripMs = nowMs - this.#sentAtMs;
    this.#sentAtMs = -1;
    return roundTripMs;
  }

  /** The peer has had its time. */
  overdue(nowMs: number): boolean {
    return this.outstanding && nowMs - this.#sentAtMs >= this.#timeoutMs;
  }
}
