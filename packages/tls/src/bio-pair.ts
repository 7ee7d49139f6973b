import { IoBuffer, MisuseError } from '@ambient/linux';
import koffi from 'koffi';
import * as openssl from './openssl.ts';

/**
 * A pair of BIOs with one buffer between them: what is written into one end is read from the other. The buffer has a fixed
 * address, and whenever it has been emptied it is filled from its base again.
 */
export class BioPair {
  readonly writeEnd: number;
  readonly readEnd: number;
  /** Address of the buffer. */
  readonly base: number;
  /** The memory at `base`. */
  readonly view: Buffer;
  readonly capacity: number;
  readonly #out = new IoBuffer(16);
  readonly #outPointer = this.#out.addressOf(0, 16);

  /** @param capacity bytes of the buffer */
  constructor(capacity: number) {
    if (openssl.BIO_new_bio_pair(this.#outPointer, capacity, this.#outPointer + 8, 16) !== 1)
      throw new MisuseError('OpenSSL refused a BIO pair');
    this.writeEnd = this.#address(0);
    this.readEnd = this.#address(8);
    this.capacity = capacity;
    this.base = this.#learnBase();
    this.view = Buffer.from(koffi.view(BigInt(this.base), capacity));
  }

  #address(at: number): number {
    return Number(this.#out.bytes.readBigUInt64LE(at));
  }

  #learnBase(): number {
    this.fill(1);
    this.take();
    return this.#address(0);
  }

  /** Counts as written what has been put at `base`; only while the pair is empty. */
  fill(bytes: number): void {
    openssl.BIO_nwrite(this.writeEnd, this.#outPointer, bytes);
  }

  /** Counts as read all that is there, up to the end of the buffer. @returns bytes; they are the last ones written */
  take(): number {
    return Math.max(0, openssl.BIO_nread(this.readEnd, this.#outPointer, this.capacity));
  }
}
