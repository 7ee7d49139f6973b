import type { TcpSocket } from '@ambient/linux';
import { BioPair } from './bio-pair.ts';
import * as openssl from './openssl.ts';

/** Ciphertext taken from the kernel by one call: a full write of the other side (MAX_WRITE_BYTES), and some more. */
export const READ_RING_BYTES = 256 * 1024;

/**
 * The memory from which all sessions of a thread read their ciphertext: `recv` puts it there, OpenSSL takes one record after
 * the other. Each call of a session leaves it empty, so an idle session holds no read buffer.
 *
 * OpenSSL could read ahead as much by itself. But then it moves all that it has not decrypted yet to the front of its buffer
 * before each record (`tls_default_read_n`): of 256 KiB each byte seven times, a sixth of the reader's CPU time.
 */
export class ReadRing {
  readonly #pair = new BioPair(READ_RING_BYTES);

  /** A reference to the reading end, for one session. OpenSSL drops it with the session. */
  shareReadEnd(): number {
    openssl.BIO_up_ref(this.#pair.readEnd);
    return this.#pair.readEnd;
  }

  /** Bytes that the session has not taken yet. */
  get length(): number {
    return this.#pair.length;
  }

  /**
   * Fills the empty ring from a socket.
   * @param length at most READ_RING_BYTES
   * @returns as `TcpSocket.recv`
   */
  receive(socket: TcpSocket, length: number): number {
    const n = socket.recvTo(this.#pair.base, length);
    if (n > 0) this.#pair.fill(n);
    return n;
  }

  /** Fills the empty ring with the first `length` bytes of `from`. */
  put(from: Buffer, length: number): void {
    from.copy(this.#pair.view, 0, 0, length);
    this.#pair.fill(length);
  }

  /** Empties the ring. @returns bytes copied to `target` */
  takeRest(target: Buffer): number {
    const length = this.#pair.take();
    this.#pair.view.copy(target, 0, this.#pair.taken, this.#pair.taken + length);
    return length;
  }
}

let ring: ReadRing | undefined;

/** The ring of this thread. */
export function threadReadRing(): ReadRing {
  return (ring ??= new ReadRing());
}
