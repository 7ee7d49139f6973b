import type { Http2Connection, Http2Stream } from '@ambient/http';
import { FRAME_HEADER_BYTES } from '@ambient/http';
import type { IoBuffer } from '@ambient/linux';
import { BufferPool } from '@ambient/linux';
import { MAX_WRITE_BYTES } from '@ambient/tls';
import type { SecureChannel } from './channel.ts';

/** Plaintext of one turn, lent to a connection from its first write to its flush. One pool per thread. */
const buffers = new BufferPool(MAX_WRITE_BYTES, 16);

/**
 * What a connection writes in one turn: control frames and data of all streams, in order, in one borrowed buffer that
 * leaves in one TLS write. Between turns it holds nothing.
 */
export class TurnWrites<T> {
  readonly #http2: Http2Connection<T>;
  #out: IoBuffer | undefined;
  #length = 0;

  constructor(http2: Http2Connection<T>) {
    this.#http2 = http2;
  }

  /** Bytes of payload that fit behind a frame header, after the control frames that are queued. Borrows a buffer. */
  room(): number {
    const out = (this.#out ??= buffers.acquire());
    if (this.#http2.outputLength > 0) this.#length += this.#http2.takeOutput(out.bytes, this.#length);
    return this.#http2.outputLength > 0 ? 0 : out.length - this.#length - FRAME_HEADER_BYTES;
  }

  /** Where the payload goes, after `room`. */
  get buffer(): IoBuffer {
    return this.#out!;
  }

  get offset(): number {
    return this.#length + FRAME_HEADER_BYTES;
  }

  /** Makes a DATA frame of the first `length` bytes of the room. */
  commit(stream: Http2Stream<T>, length: number): void {
    stream.frameData(this.#out!.bytes, this.#length, length, false);
    this.#length += FRAME_HEADER_BYTES + length;
  }

  /** Encrypts and sends everything, or until the channel takes no more. @returns false when the channel has failed */
  sendTo(channel: SecureChannel): boolean {
    for (;;) {
      if (this.#http2.outputLength > 0) this.room();
      if (this.#length === 0) break;
      const written = channel.write(this.#out!, 0, this.#length);
      this.#length = 0;
      if (!written) return false;
      if (channel.blocked || this.#http2.outputLength === 0) break;
    }
    this.release();
    return true;
  }

  /** Gives the buffer back, with whatever is in it. */
  release(): void {
    if (this.#out === undefined) return;
    buffers.release(this.#out);
    this.#out = undefined;
    this.#length = 0;
  }
}
