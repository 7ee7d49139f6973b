/**
 * The window never gets smaller than this, so that a scheduler's pause on either side does not leave the wire idle. With a
 * window of one write the two hops take turns: for two fifths of the time the sender waits for it.
 */
const MIN_WINDOW_BYTES = 2 * 1024 * 1024;
/**
 * The same while light traffic has to pass by bulk: a small request waits for what the connection holds in front of it.
 * Measured beside ten bulk streams: with 128 KiB half of the requests take a third less than with 256 KiB, with 64 KiB a
 * tenth less again, which is not worth twice as many grants. Bulk keeps its rate.
 */
const LIGHT_MIN_WINDOW_BYTES = 128 * 1024;
/** Bytes are counted over at least this long, and over at least four round trips. */
const MIN_INTERVAL_MS = 25;

/**
 * How far a peer may run ahead on a connection: twice what the path holds (its bandwidth times its round trip), so that
 * bulk does not pile up in the kernel's buffers in front of everybody else's bytes.
 *
 * It learns only from bulk, traffic that moves at least half a window within an interval: little traffic says nothing
 * about a path. Where the window itself is what limits, the estimate doubles each interval.
 */
export class WindowEstimate {
  readonly #maxBytes: number;
  #bytes = 0;
  #sinceMs: number;
  #minRttMs = Infinity;
  /** Present size, in bytes. */
  windowBytes: number;

  /** @param maxBytes the window at the start and the largest there can be */
  constructor(maxBytes: number, nowMs: number) {
    this.#maxBytes = maxBytes;
    this.windowBytes = maxBytes;
    this.#sinceMs = nowMs;
  }

  /** A PING came back after this long. The shortest counts: longer ones have waited in a queue. */
  onRoundTrip(milliseconds: number): void {
    if (milliseconds < this.#minRttMs) this.#minRttMs = Math.max(milliseconds, 0.05);
  }

  /**
   * Bytes have come.
   * @param light beside bulk there is traffic that would wait behind it
   * @returns true when `windowBytes` has changed
   */
  onReceived(bytes: number, nowMs: number, light: boolean): boolean {
    this.#bytes += bytes;
    const elapsedMs = nowMs - this.#sinceMs;
    if (this.#minRttMs === Infinity || elapsedMs < Math.max(MIN_INTERVAL_MS, 4 * this.#minRttMs))
      return false;
    const received = this.#bytes;
    this.#bytes = 0;
    this.#sinceMs = nowMs;
    if (received < this.windowBytes / 2) return false;
    const wanted = (2 * received * this.#minRttMs) / elapsedMs;
    const next = Math.round(
      Math.min(this.#maxBytes, Math.max(light ? LIGHT_MIN_WINDOW_BYTES : MIN_WINDOW_BYTES, wanted)),
    );
    if (next === this.windowBytes) return false;
    this.windowBytes = next;
    return true;
  }
}
