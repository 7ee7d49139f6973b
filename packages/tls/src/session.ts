import type { IoBuffer, TcpSocket } from '@ambient/linux';
import { FAILED } from '@ambient/linux';
import type { TlsContext } from './context.ts';
import { TlsError } from './errors.ts';
import { SessionCore } from './session-core.ts';
import { threadWriteRing } from './write-ring.ts';

/**
 * One TLS session on a TCP socket. Ciphertext is read into the thread's ring, READ_RING_BYTES at a time at most. The session
 * does not own the socket.
 */
export class TlsSession extends SessionCore {
  readonly #socket: TcpSocket;

  constructor(context: TlsContext, socket: TcpSocket) {
    super(context, threadWriteRing());
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

  protected override receive(at: number, length: number): number {
    const n = this.#socket.recvTo(this.source.base + at, length);
    if (n === FAILED) {
      const cause = this.#socket.lastError!;
      this.lastError = new TlsError('connection-lost', cause.message, { cause });
    }
    this.emptied = n < length;
    return n;
  }
}
