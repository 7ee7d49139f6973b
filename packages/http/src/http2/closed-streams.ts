const KEPT_RESETS = 256;
const KEPT_GAPS = 16;

/**
 * What is remembered of streams that are no longer open, so that a late frame meets the right answer (RFC 9113, section
 * 5.1): silence when we have reset the stream and the peer may not know yet, an error when the peer must know.
 */
export class ClosedStreams {
  #resets: Int32Array | undefined;
  #nextReset = 0;
  #forgotten = false;
  /** First and last id of ranges that were passed over, and so closed without having been used. */
  #gaps: number[] | undefined;

  /** Whether so many streams were reset that some are no longer remembered. */
  get forgotten(): boolean {
    return this.#forgotten;
  }

  /** We ended this stream, while the peer may still be sending on it. */
  addReset(streamId: number): void {
    this.#resets ??= new Int32Array(KEPT_RESETS);
    if (this.#resets[this.#nextReset] !== 0) this.#forgotten = true;
    this.#resets[this.#nextReset] = streamId;
    this.#nextReset = (this.#nextReset + 1) % KEPT_RESETS;
  }

  wasReset(streamId: number): boolean {
    return this.#resets !== undefined && this.#resets.includes(streamId);
  }

  /** The ids from `first` to `last` were passed over. */
  addGap(first: number, last: number): void {
    this.#gaps ??= [];
    if (this.#gaps.length >= 2 * KEPT_GAPS) this.#gaps.splice(0, 2);
    this.#gaps.push(first, last);
  }

  wasPassedOver(streamId: number): boolean {
    if (this.#gaps === undefined) return false;
    for (let i = 0; i < this.#gaps.length; i += 2)
      if (streamId >= this.#gaps[i]! && streamId <= this.#gaps[i + 1]!) return true;
    return false;
  }
}
