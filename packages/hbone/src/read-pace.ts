/** What is read at once should have been dealt with in this time. Bytes that open tunnels take a hundred times as long as others. */
const PIECE_MS = 0.1;
const MIN_BYTES = 1024;
const MAX_BYTES = 256 * 1024;
const FIRST_BYTES = 16 * 1024;
/** Of a single read: one that was held up, or that was too short to tell, does not decide alone. */
const MAX_CHANGE = 4;

/**
 * How many bytes a connection reads at once while others wait for the thread, learnt from what the last ones took: what has
 * been read is dealt with to its end.
 */
export class ReadPace {
  /** To be read next, at most. */
  bytes = FIRST_BYTES;

  /** @param ms what it took to read these bytes and to deal with them */
  onRead(bytes: number, ms: number): void {
    // That little was there and soon done says nothing of more.
    if (ms <= PIECE_MS && bytes < this.bytes) return;
    const fitting = (bytes * PIECE_MS) / Math.max(ms, 0.001);
    const next = Math.min(Math.max(fitting, this.bytes / MAX_CHANGE), this.bytes * MAX_CHANGE);
    this.bytes = Math.round(Math.min(Math.max(next, MIN_BYTES), MAX_BYTES));
  }
}
