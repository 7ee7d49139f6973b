import { IoBuffer } from './io-buffer.ts';

/**
 * Buffers of one size, lent and given back. Connections hold one only while they have bytes to keep, so the number in
 * use follows the traffic and not the number of connections.
 */
export class BufferPool {
  readonly bufferLength: number;
  readonly #keep: number;
  readonly #free: IoBuffer[] = [];
  #lent = 0;

  /**
   * @param bufferLength bytes of each buffer
   * @param keep free buffers to hold on to at most
   */
  constructor(bufferLength: number, keep: number) {
    this.bufferLength = bufferLength;
    this.#keep = keep;
  }

  /** Buffers that are lent out now. */
  get lent(): number {
    return this.#lent;
  }

  /** A buffer with undefined content. Give it back with `release`. */
  acquire(): IoBuffer {
    this.#lent++;
    return this.#free.pop() ?? new IoBuffer(this.bufferLength);
  }

  release(buffer: IoBuffer): void {
    this.#lent--;
    if (this.#free.length < this.#keep) this.#free.push(buffer);
  }
}
