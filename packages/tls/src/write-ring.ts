import { IoBuffer, MisuseError } from '@ambient/linux';
import koffi from 'koffi';
import * as openssl from './openssl.ts';

/**
 * Most plaintext that one SSL_write may be given: fifteen full records, whose ciphertext fits into one read of a peer that
 * reads 256 KiB at once, so that no record is torn (measured: 7 % less CPU per byte than sixteen records).
 */
export const MAX_WRITE_BYTES = 240 * 1024;
/** Records of 16 KiB with 22 bytes of header, type and tag each, and room for alerts and key updates. */
const RING_BYTES = MAX_WRITE_BYTES + 32 * 1024;

/**
 * The memory into which all sessions of a thread write their ciphertext. Each call of a session leaves it empty: what the
 * socket does not take at once, the session copies out. So an idle session holds no write buffer at all, and ciphertext of
 * many records goes to the kernel in one call, from where OpenSSL put it.
 */
export class WriteRing {
  readonly #writeEnd: number;
  readonly #readEnd: number;
  readonly #out = new IoBuffer(16);
  readonly #outPointer = this.#out.addressOf(0, 16);
  readonly #base: number;
  readonly #view: Buffer;

  constructor() {
    if (openssl.BIO_new_bio_pair(this.#outPointer, RING_BYTES, this.#outPointer + 8, 16) !== 1)
      throw new MisuseError('OpenSSL refused a BIO pair');
    this.#writeEnd = Number(this.#out.bytes.readBigUInt64LE(0));
    this.#readEnd = Number(this.#out.bytes.readBigUInt64LE(8));
    this.#base = this.#learnBase();
    this.#view = Buffer.from(koffi.view(BigInt(this.#base), RING_BYTES));
  }

  /** A drained ring starts again at its base, so the address that one byte got is that of all later ciphertext. */
  #learnBase(): number {
    const byte = new IoBuffer(1);
    openssl.BIO_write(this.#writeEnd, byte.addressOf(0, 1), 1);
    this.take();
    return Number(this.#out.bytes.readBigUInt64LE(0));
  }

  /** A reference to the writing end, for one session. OpenSSL drops it with the session. */
  shareWriteEnd(): number {
    openssl.BIO_up_ref(this.#writeEnd);
    return this.#writeEnd;
  }

  /** True when nothing waits: one call, to make sure after a read that may have caused an answer. */
  get empty(): boolean {
    return openssl.BIO_ctrl_pending(this.#readEnd) === 0;
  }

  /** Takes all that was written. @returns bytes; they lie at `base` until the next write */
  take(): number {
    return Math.max(0, openssl.BIO_nread(this.#readEnd, this.#outPointer, RING_BYTES));
  }

  /** Address of the ciphertext. */
  get base(): number {
    return this.#base;
  }

  /** The memory at `base`. */
  get bytes(): Buffer {
    return this.#view;
  }

  /** Copies bytes of the last `take` to `target`. */
  copy(target: Buffer, targetStart: number, start: number, end: number): void {
    this.#view.copy(target, targetStart, start, end);
  }
}

let ring: WriteRing | undefined;

/** The ring of this thread. */
export function threadWriteRing(): WriteRing {
  return (ring ??= new WriteRing());
}

let innerRing: WriteRing | undefined;

/** The ring of this thread's sessions inside tunnels: their ciphertext still lies there while the session around encrypts. */
export function innerWriteRing(): WriteRing {
  return (innerRing ??= new WriteRing());
}
