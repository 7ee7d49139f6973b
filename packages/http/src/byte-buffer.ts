/**
 * A growable run of bytes, for what is gathered or written piece by piece.
 *
 * `bytes` is longer than what is in use; only `bytes[0..length)` counts. It may be replaced by {@link ensure}, so read it
 * again after every call that can grow.
 */
export class ByteBuffer {
  bytes: Uint8Array;
  length = 0;

  constructor(capacity: number) {
    this.bytes = new Uint8Array(capacity);
  }

  /** Makes room for `extra` bytes after `length`. */
  ensure(extra: number): void {
    const needed = this.length + extra;
    if (needed <= this.bytes.length) return;
    let capacity = Math.max(64, this.bytes.length * 2);
    while (capacity < needed) capacity *= 2;
    const grown = new Uint8Array(capacity);
    grown.set(this.bytes.subarray(0, this.length));
    this.bytes = grown;
  }

  /** Appends `source[start..end)`. */
  append(source: Uint8Array, start: number, end: number): void {
    this.ensure(end - start);
    copyBytes(source, start, end, this.bytes, this.length);
    this.length += end - start;
  }
}

/** Below this many bytes a loop beats the view that `set` needs. */
const SMALL_COPY = 48;

/** Copies `source[start..end)` to `target[at..)`; the two must not overlap. */
export function copyBytes(
  source: Uint8Array,
  start: number,
  end: number,
  target: Uint8Array,
  at: number,
): void {
  if (end - start <= SMALL_COPY) {
    for (let i = start; i < end; i++) target[at++] = source[i]!;
    return;
  }
  target.set(source.subarray(start, end), at);
}
