import { IoBuffer } from './io-buffer.ts';

/**
 * Buffers of one size, lent and given back. Connections hold one only while they have bytes to keep, so the number in
 * use follows the traffic and not the number of connections.
 */
export class BufferPool {
  readonly bufferLength: number;
  readonly #keep: number;
  readonly #free: IoBuffer[] = [];

  /**
   * @param bufferLength bytes of each buffer
   * @param keep free buffers to hold on to at most
   */
  constructor(bufferLength: number, keep: number) {
    this.bufferLength = bufferLength;
    this.#keep = keep;
  }

  /** A buffer with undefined content. Give it back with `release`. */
  acquire(): IoBuffer {
    return this.#free.pop() ?? new IoBuffer(this.bufferLength);
  }

  release(buffer: IoBuffer): void {
    if (this.#free.length < this.#keep) this.#free.push(buffer);
  }
}
