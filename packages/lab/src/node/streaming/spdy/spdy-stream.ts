import { Duplex } from 'node:stream';

import type { SpdyHeaders } from './header-block.ts';

/** What a stream asks of its connection. */
export interface StreamLink {
  write(bytes: Buffer, last: boolean, done: (error?: Error | null) => void): void;
  reset(): void;
  /** The application has taken so many bytes. */
  consumed(bytes: number): void;
  gone(): void;
}

/** What a client may send ahead of its application. */
const highWaterMark = 256 * 1024;

/** The peer, or the connection's end, broke off a stream. */
export class SpdyStreamResetError extends Error {
  readonly code = 'SPDY_STREAM_RESET';
  constructor(id: number) {
    super(`the client has broken off stream ${id}`);
    this.name = 'SpdyStreamResetError';
  }
}

/** One stream. Destroyed before both sides have ended, it is reset. */
export class SpdyStream extends Duplex {
  readonly id: number;
  readonly headers: SpdyHeaders;
  readonly #link: StreamLink;
  #hungry: (() => void) | undefined;
  #unreported = 0;
  #peerEnded = false;
  #ended = false;
  #reset = false;

  /** @internal by SpdyConnection */
  constructor(id: number, headers: SpdyHeaders, link: StreamLink) {
    super({ readableHighWaterMark: highWaterMark, allowHalfOpen: true });
    this.id = id;
    this.headers = headers;
    this.#link = link;
    // A reset is no surprise to whoever forwards bytes, and must not end the process.
    this.on('error', () => undefined);
  }

  /** Bytes of the peer; settles when the stream takes more. */
  async receive(bytes: Buffer): Promise<void> {
    if (this.#peerEnded || this.destroyed) return;
    this.#unreported += bytes.length;
    if (this.push(bytes)) return;
    await new Promise<void>((resolve) => {
      this.#hungry = resolve;
    });
  }

  receiveEnd(): void {
    if (this.#peerEnded || this.destroyed) return;
    this.#peerEnded = true;
    this.push(null);
  }

  /** The peer, or the connection, has broken it off. */
  receiveReset(): void {
    this.#reset = true;
    this.destroy(new SpdyStreamResetError(this.id));
  }

  override _read(): void {
    if (this.#unreported > 0) {
      this.#link.consumed(this.#unreported);
      this.#unreported = 0;
    }
    this.#release();
  }

  override _write(chunk: Buffer, _: BufferEncoding, done: (error?: Error | null) => void): void {
    this.#link.write(chunk, false, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#ended = true;
    this.#link.write(Buffer.alloc(0), true, done);
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#release();
    if (!this.#reset && !(this.#ended && this.#peerEnded)) this.#link.reset();
    this.#link.gone();
    done(error);
  }

  #release(): void {
    const hungry = this.#hungry;
    this.#hungry = undefined;
    hungry?.();
  }
}
