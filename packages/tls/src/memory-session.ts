import type { IoBuffer } from '@ambient/linux';
import { BufferPool, WOULD_BLOCK } from '@ambient/linux';
import type { TlsContext } from './context.ts';
import { SessionCore } from './session-core.ts';
import { innerWriteRing } from './write-ring.ts';

const CHUNK_BYTES = 64 * 1024;

/** One per thread. Chunks are held only from `feed` to the `read` that decrypts them. */
const chunkPool = new BufferPool(CHUNK_BYTES, 32);

interface Chunk {
  readonly buffer: IoBuffer;
  /** Bytes in it, from `start` on not yet taken. */
  end: number;
  start: number;
}

/**
 * A TLS session whose ciphertext comes by `feed` and goes by `sendCiphertext`: one inside a tunnel of another session.
 * Holds no buffer while nothing is under way.
 */
export abstract class MemoryTlsSession extends SessionCore {
  /** Fed and not taken yet. */
  readonly #chunks: Chunk[] = [];
  #ended = false;

  constructor(context: TlsContext) {
    super(context, innerWriteRing());
  }

  /**
   * Takes ciphertext to the peer: `bytes[start..end)`, valid only now.
   * @returns bytes taken; WOULD_BLOCK when there is no room now: call `flush` when there is; FAILED, with `lastError`
   */
  protected abstract sendCiphertext(bytes: Buffer, start: number, end: number): number;

  /** So many of the bytes fed have been taken to be decrypted: memory for as many is free again. */
  protected abstract onFedUsed(bytes: number): void;

  /** Copies ciphertext of the peer, to be decrypted by the next `handshake` or `read`. */
  feed(from: IoBuffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      let last = this.#chunks.at(-1);
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

  /** The peer sends no more: told by `read` after what has been fed. */
  feedEnd(): void {
    this.#ended = true;
  }

  protected override receive(at: number, length: number): number {
    let taken = 0;
    for (let chunk = this.#chunks[0]; chunk !== undefined && taken < length; chunk = this.#chunks[0]) {
      const { buffer, start, end } = chunk;
      const n = buffer.bytes.copy(this.source.view, at + taken, start, Math.min(end, start + length - taken));
      taken += n;
      chunk.start += n;
      if (chunk.start < end) break;
      this.#chunks.shift();
      chunkPool.release(buffer);
    }
    if (taken === 0) return this.#ended ? 0 : WOULD_BLOCK;
    this.onFedUsed(taken);
    return taken;
  }

  protected override transmitRing(length: number): number {
    return this.sendCiphertext(this.ring.bytes, 0, length);
  }

  protected override transmit(from: IoBuffer, offset: number, length: number): number {
    return this.sendCiphertext(from.bytes, offset, offset + length);
  }

  override close(): void {
    super.close();
    for (const { buffer } of this.#chunks.splice(0)) chunkPool.release(buffer);
  }
}
