import { Http2UsageError } from './errors.ts';

/** What the peer may still send, on a connection; streams keep the same numbers in their own fields. */
export class ReceiveWindow {
  readonly size: number;
  #target: number;
  #available: number;
  #released = 0;

  /**
   * @param size bytes to which the window is filled up again at most.
   * @param initial bytes granted at the start.
   */
  constructor(size: number, initial: number) {
    this.size = size;
    this.#target = size;
    this.#available = initial;
  }

  /** Bytes that the peer may still send; never negative. */
  get available(): number {
    return this.#available;
  }

  /** Bytes to which the window is filled up at present. */
  get target(): number {
    return this.#target;
  }

  /**
   * Fills the window up to another size from now on. A smaller one takes nothing back: it lets what was granted run down.
   *
   * @param bytes 1 to `size`
   * @returns the increment to tell the peer now, as `release` does.
   */
  setTarget(bytes: number): number {
    this.#target = Math.min(this.size, Math.max(1, bytes));
    return this.#grant();
  }

  /** Counts `bytes` as received; false when the peer was not allowed to send them. */
  take(bytes: number): boolean {
    if (bytes > this.#available) return false;
    this.#available -= bytes;
    return true;
  }

  /**
   * Counts `bytes` as consumed. Throws {@link Http2UsageError} when more is given back than has come.
   *
   * @returns the increment to tell the peer now, 0 when it can wait until a quarter of the window is due.
   */
  release(bytes: number): number {
    this.#released += bytes;
    if (this.#available + this.#released > this.size)
      throw new Http2UsageError('more bytes were released on the connection than had come');
    return this.#grant();
  }

  #grant(): number {
    const increment = Math.min(this.#released, this.#target - this.#available);
    if (increment < windowUpdateThreshold(this.#target)) return 0;
    this.#released -= increment;
    this.#available += increment;
    return increment;
  }
}

/** Bytes that must be due before a WINDOW_UPDATE is worth a frame. */
export function windowUpdateThreshold(size: number): number {
  return size >>> 2 || 1;
}
