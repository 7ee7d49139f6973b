import type { IoBuffer } from '@ambient/linux';
import { BufferPool } from '@ambient/linux';
import { BioPair } from './bio-pair.ts';
import * as openssl from './openssl.ts';

/** Ciphertext taken from the kernel by one call: a full write of the other side (MAX_WRITE_BYTES), and some more. */
export const READ_RING_BYTES = 256 * 1024;
/** The largest record, and some. */
const PART_BYTES = 17 * 1024;
/** What one call gives comes behind the beginning of a record that the last one gave. */
const RING_BYTES = READ_RING_BYTES + PART_BYTES;

/**
 * The memory from which all sessions of a thread read their ciphertext: `recv` puts it there, and records are decrypted from
 * where they lie. Each call of a session leaves it free for others, so an idle session holds no read buffer.
 *
 * During a handshake OpenSSL reads from it, as from one end of a pair of BIOs (decision 18).
 */
export class ReadRing {
  readonly #pair = new BioPair(RING_BYTES);

  /** A reference to the reading end, for one session. OpenSSL drops it with the session. */
  shareReadEnd(): number {
    openssl.BIO_up_ref(this.#pair.readEnd);
    return this.#pair.readEnd;
  }

  /** Address of the first byte. */
  get base(): number {
    return this.#pair.base;
  }

  /** The memory at `base`. */
  get view(): Buffer {
    return this.#pair.view;
  }

  /** Lets OpenSSL read the first `length` bytes, once. */
  offer(length: number): void {
    this.#pair.fill(length);
  }

  /** Takes back what OpenSSL has not read of the last `offer`. @returns bytes: the last ones of those offered */
  withdraw(): number {
    return this.#pair.take();
  }
}

let ring: ReadRing | undefined;

/** The ring of this thread. */
export function threadReadRing(): ReadRing {
  return (ring ??= new ReadRing());
}

const partPool = new BufferPool(PART_BYTES, 16);
/** Ciphertext behind the end of a handshake, or more than a reader had room for. */
const wholePool = new BufferPool(RING_BYTES, 4);

/** Ciphertext of one session that has to leave the ring before it can be decrypted: mostly the beginning of a record. */
export class UnreadCiphertext {
  #buffer: IoBuffer | undefined;
  #length = 0;

  /** Copies bytes `start` to `end` of the ring. */
  keep(from: ReadRing, start: number, end: number): void {
    const length = end - start;
    this.#buffer = (length <= PART_BYTES ? partPool : wholePool).acquire();
    this.#length = length;
    from.view.copy(this.#buffer.bytes, 0, start, end);
  }

  /** Puts what was kept to the front of the ring. @returns bytes; 0 when nothing was kept */
  restore(to: ReadRing): number {
    if (this.#buffer === undefined) return 0;
    const length = this.#length;
    this.#buffer.bytes.copy(to.view, 0, 0, length);
    this.drop();
    return length;
  }

  /** Forgets what was kept. */
  drop(): void {
    if (this.#buffer === undefined) return;
    (this.#buffer.length === PART_BYTES ? partPool : wholePool).release(this.#buffer);
    this.#buffer = undefined;
  }
}
