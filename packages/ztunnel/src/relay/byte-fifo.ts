import type { IoBuffer, TcpSocket } from '@ambient/linux';
import { BufferPool } from '@ambient/linux';

const CHUNK_BYTES = 64 * 1024;

/** One per thread. Chunks are held only while an application does not keep up. */
const chunkPool = new BufferPool(CHUNK_BYTES, 64);

interface Chunk {
  readonly buffer: IoBuffer;
  start: number;
  end: number;
}

/** Bytes that a socket has not taken yet. Holds no memory while it is empty. */
export class ByteFifo {
  #chunks: Chunk[] = [];
  #length = 0;

  get length(): number {
    return this.#length;
  }

  append(from: IoBuffer, start: number, end: number): void {
    this.#length += end - start;
    let at = start;
    let last = this.#chunks.at(-1);
    while (at < end) {
      if (last === undefined || last.end === CHUNK_BYTES) {
        last = { buffer: chunkPool.acquire(), start: 0, end: 0 };
        this.#chunks.push(last);
      }
      const n = Math.min(end - at, CHUNK_BYTES - last.end);
      from.bytes.copy(last.buffer.bytes, last.end, at, at + n);
      last.end += n;
      at += n;
    }
  }

  /** Puts a few bytes ahead of what is there. @param bytes at most 64 KiB */
  prepend(bytes: Buffer): void {
    const buffer = chunkPool.acquire();
    bytes.copy(buffer.bytes);
    this.#chunks.unshift({ buffer, start: 0, end: bytes.length });
    this.#length += bytes.length;
  }

  /** Sends as much as `socket` takes. @returns the last answer of `socket.send`, or the bytes sent when all went */
  drainTo(socket: TcpSocket, onSent: (bytes: number) => void): number {
    let total = 0;
    for (;;) {
      const chunk = this.#chunks[0];
      if (chunk === undefined) return total;
      const n = socket.send(chunk.buffer, chunk.start, chunk.end - chunk.start);
      if (n < 0) return n;
      chunk.start += n;
      this.#length -= n;
      total += n;
      onSent(n);
      if (chunk.start < chunk.end) return total;
      this.#chunks.shift();
      chunkPool.release(chunk.buffer);
    }
  }

  /** Gives up what is held. */
  clear(): void {
    for (const chunk of this.#chunks) chunkPool.release(chunk.buffer);
    this.#chunks = [];
    this.#length = 0;
  }
}
