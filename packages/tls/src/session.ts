import type { IoBuffer, TcpSocket } from '@ambient/linux';
import { FAILED } from '@ambient/linux';
import type { TlsContext } from './context.ts';
import * as openssl from './openssl.ts';
import { SessionCore } from './session-core.ts';
import { threadWriteRing } from './write-ring.ts';

/**
 * One TLS session on a TCP socket. Ciphertext is read by OpenSSL from the socket itself, 256 KiB at a time. The session
 * does not own the socket.
 */
export class TlsSession extends SessionCore {
  readonly #socket: TcpSocket;

  constructor(context: TlsContext, socket: TcpSocket) {
    super(context, threadWriteRing(), () => openssl.BIO_new_socket(socket.fd, 0));
    this.#socket = socket;
  }

  protected override transmitRing(length: number): number {
    const n = this.#socket.sendFrom(this.ring.base, length);
    if (n === FAILED) this.lastError = this.#socket.lastError;
    return n;
  }

  protected override transmit(from: IoBuffer, offset: number, length: number): number {
    const n = this.#socket.send(from, offset, length);
    if (n === FAILED) this.lastError = this.#socket.lastError;
    return n;
  }

  /** OpenSSL asks the socket itself. */
  protected override refill(): boolean {
    return false;
  }
}
