import type { IoBuffer, TcpSocket } from '@ambient/linux';
import { BufferPool, FAILED } from '@ambient/linux';
import type { TlsContext } from './context.ts';
import { TlsError } from './errors.ts';
import { READ_RING_BYTES, threadReadRing } from './read-ring.ts';
import { SessionCore } from './session-core.ts';
import { threadWriteRing } from './write-ring.ts';

/** Ciphertext behind the end of a handshake, or more than a reader had room for. */
const restPool = new BufferPool(READ_RING_BYTES, 4);

/** Less is not asked for, however little room there is. */
const LEAST_READ_BYTES = 4 * 1024;

/**
 * One TLS session on a TCP socket. Ciphertext is read into the thread's ring, READ_RING_BYTES at a time at most. The session
 * does not own the socket.
 */
export class TlsSession extends SessionCore {
  readonly #socket: TcpSocket;
  readonly #source = threadReadRing();
  /** Taken from the ring, which is there for others as well. */
  #rest: IoBuffer | undefined;
  #restLength = 0;

  constructor(context: TlsContext, socket: TcpSocket) {
    super(context, threadWriteRing(), () => threadReadRing().shareReadEnd());
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

  protected override refill(room: number): number {
    this.emptied = false;
    if (this.#rest !== undefined) {
      const length = this.#restLength;
      this.#source.put(this.#rest.bytes, length);
      this.#dropRest();
      return length;
    }
    const asked = Math.min(READ_RING_BYTES, Math.max(room, LEAST_READ_BYTES));
    const n = this.#source.receive(this.#socket, asked);
    if (n === FAILED) {
      const cause = this.#socket.lastError!;
      this.lastError = new TlsError('connection-lost', cause.message, { cause });
    }
    this.emptied = n < asked;
    return n;
  }

  protected override get unread(): number {
    return this.#source.length;
  }

  protected override keepUnread(): void {
    if (this.#source.length === 0) return;
    this.#rest = restPool.acquire();
    this.#restLength = this.#source.takeRest(this.#rest.bytes);
  }

  #dropRest(): void {
    if (this.#rest === undefined) return;
    restPool.release(this.#rest);
    this.#rest = undefined;
  }

  override close(): void {
    super.close();
    this.#dropRest();
  }
}
