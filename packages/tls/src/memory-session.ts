import type { IoBuffer } from '@ambient/linux';
import { BufferPool, IoBuffer as Memory, WOULD_BLOCK } from '@ambient/linux';
import type { TlsContext } from './context.ts';
import * as openssl from './openssl.ts';
import { SessionCore } from './session-core.ts';
import { innerWriteRing } from './write-ring.ts';

const CHUNK_BYTES = 64 * 1024;

/** One per thread. Chunks are held only from `feed` to the `read` that decrypts them. */
const chunkPool = new BufferPool(CHUNK_BYTES, 32);
const nothing = new Memory(1);

interface Chunk {
  readonly buffer: IoBuffer;
  end: number;
}

/** A memory BIO that reads `length` bytes from `address` on, and then says that more may come. */
function bioOf(address: number, length: number): number {
  const bio = openssl.BIO_new_mem_buf(address, length);
  openssl.BIO_ctrl(bio, openssl.BIO_C_SET_BUF_MEM_EOF_RETURN, -1, 0);
  return bio;
}

/**
 * A TLS session whose ciphertext comes by `feed` and goes by `sendCiphertext`: one inside a tunnel of another session.
 * Holds no buffer while nothing is under way.
 */
export abstract class MemoryTlsSession extends SessionCore {
  /** The BIO that the session reads, which owns it. */
  #bio: number;
  /** Fed and not decrypted yet. OpenSSL reads the first one, once `#loaded`, from where it lies. */
  readonly #chunks: Chunk[] = [];
  #loaded = false;
  #ended = false;

  constructor(context: TlsContext) {
    let bio = 0;
    super(context, innerWriteRing(), () => (bio = bioOf(nothing.addressOf(0, 0), 0)));
    this.#bio = bio;
  }

  /**
   * Takes ciphertext to the peer: `bytes[start..end)`, valid only now.
   * @returns bytes taken; WOULD_BLOCK when there is no room now: call `flush` when there is; FAILED, with `lastError`
   */
  protected abstract sendCiphertext(bytes: Buffer, start: number, end: number): number;

  /** So many of the bytes fed have been decrypted: memory for as many is free again. */
  protected abstract onFedUsed(bytes: number): void;

  /** Copies ciphertext of the peer, to be decrypted by the next `handshake` or `read`. */
  feed(from: IoBuffer, start: number, end: number): void {
    let at = start;
    while (at < end) {
      let last = this.#chunks.at(-1);
      if (last === undefined || last.end === CHUNK_BYTES || (this.#loaded && this.#chunks.length === 1)) {
        last = { buffer: chunkPool.acquire(), end: 0 };
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

  protected override refill(): number {
    if (this.#loaded) {
      this.#loaded = false;
      const { buffer, end } = this.#chunks.shift()!;
      chunkPool.release(buffer);
      this.onFedUsed(end);
    }
    const next = this.#chunks[0];
    if (next === undefined) return this.#ended ? 0 : WOULD_BLOCK;
    this.#loaded = true;
    this.#bio = bioOf(next.buffer.addressOf(0, next.end), next.end);
    openssl.SSL_set0_rbio(this.ssl, this.#bio); // frees the one before
    return next.end;
  }

  protected override get unread(): number {
    return openssl.BIO_ctrl_pending(this.#bio);
  }

  /** It lies in a chunk of this session alone. */
  protected override keepUnread(): void {}

  protected override transmitRing(length: number): number {
    return this.sendCiphertext(this.ring.bytes, 0, length);
  }

  protected override transmit(from: IoBuffer, offset: number, length: number): number {
    return this.sendCiphertext(from.bytes, offset, offset + length);
  }

  override close(): void {
    super.close();
    for (const { buffer } of this.#chunks.splice(0)) chunkPool.release(buffer);
    this.#loaded = false;
  }
}
