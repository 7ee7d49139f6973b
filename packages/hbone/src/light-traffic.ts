/** How long the bytes of a carrier are counted together. */
const INTERVAL_MS = 25;
/** A carrier that moves less than this in an interval, 21 Mbit/s, is light: it would notice if bulk went in large steps. */
const BULK_BYTES = 64 * 1024;
/** Light traffic is there until this long after its last bytes. */
const REMEMBERED_MS = 100;

/** Something that carries bytes in one direction, and remembers how many lately. */
export interface Carrier {
  /** When its present interval began, on the reactor's clock; -Infinity before the first. */
  intervalStartMs: number;
  /** Bytes since then. */
  intervalBytes: number;
  /** As much as bulk, in this interval or in the last one before it. */
  carriesBulk: boolean;
}

/**
 * Whether anybody carries little at a time, as requests and their answers are, beside those that carry bulk. Bulk alone goes
 * in large steps, which cost less; beside others it goes in small ones, for which nobody waits long.
 *
 * A carrier is judged by its last interval when it speaks again. One that has just begun counts as light.
 */
export class LightTraffic {
  #lastMs = -Infinity;

  onBytes(carrier: Carrier, bytes: number, nowMs: number): void {
    if (nowMs - carrier.intervalStartMs < INTERVAL_MS) {
      carrier.intervalBytes += bytes;
      carrier.carriesBulk ||= carrier.intervalBytes >= BULK_BYTES;
      return;
    }
    carrier.carriesBulk = carrier.intervalBytes >= BULK_BYTES;
    if (!carrier.carriesBulk) this.#lastMs = nowMs;
    carrier.intervalStartMs = nowMs;
    carrier.intervalBytes = bytes;
  }

  isPresent(nowMs: number): boolean {
    return nowMs - this.#lastMs < REMEMBERED_MS;
  }
}
