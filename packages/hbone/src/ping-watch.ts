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

  /** How long the peer has been silent since it was asked, milliseconds; 0 when no answer is due. Any byte breaks the silence. */
  silentMs(nowMs: number, heardAtMs: number): number {
    return this.outstanding ? nowMs - Math.max(this.#sentAtMs, heardAtMs) : 0;
  }

  /** The peer has had its time. */
  overdue(nowMs: number): boolean {
    return this.outstanding && nowMs - this.#sentAtMs >= this.#timeoutMs;
  }
}
