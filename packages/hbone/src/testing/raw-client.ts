import type { Reactor, SocketAddress } from '@ambient/linux';
import { IoBuffer, TcpSocket } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import { SocketLink } from '../socket-link.ts';
import type { SocketLinkOwner } from '../socket-link.ts';

/** The longest piece that one write takes. */
const PIECE_BYTES = 60_000;

/** A TLS client that sends the bytes that a test likes, as fast as the other side takes them. */
export class RawClient implements SocketLinkOwner {
  readonly #link: SocketLink;
  readonly #into = new IoBuffer(64 * 1024);
  #unsent = Buffer.alloc(0);
  #open = false;
  /** Bytes that have come. */
  received = 0;
  ended = false;

  constructor(reactor: Reactor, to: SocketAddress, context: TlsContext) {
    this.#link = new SocketLink(reactor, TcpSocket.dial(to), to, context, this, true);
  }

  /** Sends after the handshake, behind what was given before. */
  send(bytes: Uint8Array): void {
    this.#unsent = Buffer.concat([this.#unsent, bytes]);
    this.#pump();
  }

  get sentAll(): boolean {
    return this.ended || (this.#open && this.#unsent.length === 0 && !this.#link.blocked);
  }

  close(): void {
    this.ended = true;
    this.#link.close();
  }

  onConnected(error: Error | undefined): void {
    if (error !== undefined) throw error;
    this.#step();
  }

  onReadable(): void {
    this.#step();
  }

  onWritable(): void {
    this.#step();
  }

  onFault(error: unknown): void {
    throw error as Error;
  }

  #step(): void {
    if (this.ended) return;
    if (!this.#open) {
      const progress = this.#link.handshake();
      if (progress === 'failed') this.close();
      if (progress !== 'done') return;
      this.#open = true;
    }
    for (;;) {
      const n = this.#link.read(this.#into, 0, this.#into.length, true);
      if (n > 0) {
        this.received += n;
        continue;
      }
      if (n === 0 || this.#link.lastError !== undefined) {
        this.close();
        return;
      }
      break;
    }
    this.#pump();
  }

  #pump(): void {
    while (this.#open && !this.ended && this.#unsent.length > 0 && this.#link.flush()) {
      const length = Math.min(PIECE_BYTES, this.#unsent.length);
      const piece = new IoBuffer(length);
      this.#unsent.copy(piece.bytes, 0, 0, length);
      this.#unsent = this.#unsent.subarray(length);
      if (!this.#link.write(piece, 0, length) && this.#link.lastError !== undefined) this.close();
    }
  }
}
