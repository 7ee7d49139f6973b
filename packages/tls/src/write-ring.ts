import { MisuseError } from '@ambient/linux';
import { BioPair } from './bio-pair.ts';
import * as openssl from './openssl.ts';

/**
 * Most plaintext that one SSL_write may be given: fifteen full records, whose ciphertext fits into one read of 256 KiB. Bulk
 * that flows beside smaller traffic goes in smaller writes, for which others do not wait as long.
 */
export const MAX_WRITE_BYTES = 240 * 1024;
/** Records of 16 KiB with 22 bytes of header, type and tag each, and room for alerts and key updates. */
const RING_BYTES = MAX_WRITE_BYTES + 32 * 1024;

/**
 * The memory into which all sessions of a thread write their ciphertext: OpenSSL during a handshake, our own record layer
 * afterwards. Each call of a session leaves it empty: what the
 * socket does not take at once, the session copies out. So an idle session holds no write buffer at all, and ciphertext of
 * many records goes to the kernel in one call, from where it was encrypted to.
 */
export class WriteRing {
  readonly #pair = new BioPair(RING_BYTES);
  #reserved = 0;

  /** A reference to the writing end, for one session. OpenSSL drops it with the session. */
  shareWriteEnd(): number {
    openssl.BIO_up_ref(this.#pair.writeEnd);
    return this.#pair.writeEnd;
  }

  /**
   * Makes room for `bytes` behind what was reserved since the last `take`, without OpenSSL.
   * @returns where they begin, counted from `base`
   */
  reserve(bytes: number): number {
    const at = this.#reserved;
    if (at + bytes > RING_BYTES) throw new MisuseError(`${bytes} bytes more do not fit into the write ring`);
    this.#reserved = at + bytes;
    return at;
  }

  /** Something was put in without OpenSSL since the last `take`. */
  get waiting(): boolean {
    return this.#reserved > 0;
  }

  /** Takes all that was put in. @returns bytes; they lie at `base` until the next write */
  take(): number {
    const reserved = this.#reserved;
    this.#reserved = 0;
    return reserved > 0 ? reserved : this.#pair.take();
  }

  /** Address of the ciphertext. */
  get base(): number {
    return this.#pair.base;
  }

  /** The memory at `base`. */
  get bytes(): Buffer {
    return this.#pair.view;
  }

  /** Copies bytes of the last `take` to `target`. */
  copy(target: Buffer, targetStart: number, start: number, end: number): void {
    this.#pair.view.copy(target, targetStart, start, end);
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
