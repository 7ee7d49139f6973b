/**
 * A byte stream that proves itself: the byte at each offset is known, so that the receiver names the first wrong one. The
 * period is a prime above the sizes of buffers, frames and records, so that a lost, doubled or exchanged piece of any of
 * them shows, and comparing costs one memcmp a chunk: a gibibyte does not measure the checksum.
 */
const PERIOD = 1_048_583;
/** Written in one piece. */
const SLICE = 256 * 1024;

const block = makeBlock();

/** The bytes of the stream from `offset` on, at most `limit` of them; a view, never to be changed. */
export function patternAt(offset: number, limit: number): Buffer {
  const start = offset % PERIOD;
  return block.subarray(start, start + Math.min(limit, SLICE));
}

/** Checks a stream chunk by chunk. */
export class PatternCheck {
  /** Bytes seen. */
  received = 0;
  /** Offset of the first wrong byte, or undefined. */
  mismatchAt: number | undefined;

  accept(chunk: Buffer): void {
    let done = 0;
    while (done < chunk.length && this.mismatchAt === undefined) {
      const start = (this.received + done) % PERIOD;
      const length = Math.min(chunk.length - done, block.length - start);
      if (chunk.compare(block, start, start + length, done, done + length) !== 0)
        this.mismatchAt = this.#firstWrong(chunk, done, start);
      done += length;
    }
    this.received += chunk.length;
  }

  #firstWrong(chunk: Buffer, done: number, start: number): number {
    let index = 0;
    while (chunk[done + index] === block[start + index]) index += 1;
    return this.received + done + index;
  }
}

/** One period and a slice more, so that a slice can start anywhere in the period. Xorshift32: fast, and not repeating. */
function makeBlock(): Buffer {
  const bytes = Buffer.allocUnsafe(PERIOD + SLICE);
  let state = 0x9e3779b9;
  for (let index = 0; index < PERIOD; index += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    bytes[index] = state & 0xff;
  }
  bytes.copy(bytes, PERIOD, 0, SLICE);
  return bytes;
}
