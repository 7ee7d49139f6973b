import { IoBuffer, MisuseError } from '@ambient/linux';
import * as openssl from './openssl.ts';
import type { CipherSuite } from './traffic-keys.ts';
import { NONCE_BYTES, trafficKeys } from './traffic-keys.ts';

/** Bytes in front of a record's ciphertext: type, version, length. */
export const RECORD_HEADER_BYTES = 5;
/** Bytes of the authentication tag behind it. */
export const TAG_BYTES = 16;
/** Header, content type and tag. */
export const RECORD_OVERHEAD_BYTES = RECORD_HEADER_BYTES + 1 + TAG_BYTES;
/** Most plaintext of a record, without its type and padding: RFC 8446, section 5.1. */
export const MAX_PLAINTEXT_BYTES = 16 * 1024;

/** RFC 8446, section 5.1. All protected records look like application data from outside. */
export const CONTENT_TYPE = { alert: 21, handshake: 22, applicationData: 23 } as const;
export type ContentType = (typeof CONTENT_TYPE)[keyof typeof CONTENT_TYPE];

const nonce = new IoBuffer(NONCE_BYTES);
/** Where OpenSSL tells how much it has written, which we know. */
const written = new IoBuffer(4);
const contentTypes = new IoBuffer(CONTENT_TYPE.applicationData + 1);
for (const type of Object.values(CONTENT_TYPE)) contentTypes.bytes[type] = type;
const UINT32 = 2 ** 32;

/** Algorithms of this thread, fetched once: to name them at each use would look them up each time. */
const fetched = new Map<string, number>();

function fetchCipher(name: string): number {
  let cipher = fetched.get(name);
  if (cipher === undefined) {
    const text = new IoBuffer(name.length + 1);
    text.bytes.write(`${name}\0`, 'latin1');
    cipher = openssl.EVP_CIPHER_fetch(0, text.addressOf(0, text.length), 0);
    if (cipher === 0) throw new MisuseError(`OpenSSL has no ${name}`);
    fetched.set(name, cipher);
  }
  return cipher;
}

/**
 * Protection of TLS 1.3 records in one direction under one key: the AEAD with its nonce of the record's number (RFC 8446,
 * sections 5.2 and 5.3). The algorithm is OpenSSL's; where the bytes lie is ours, so that they are not copied.
 */
export class RecordProtection {
  #context: number;
  readonly #iv: Buffer;
  readonly #ivMiddle: number;
  readonly #ivLow: number;
  /** Records so far: the number of the next one. */
  records = 0;

  /** @param direction 1 to seal, 0 to open: as EVP_CipherInit_ex has it */
  constructor(suite: CipherSuite, secret: Buffer, direction: 0 | 1) {
    const { key, iv } = trafficKeys(suite, secret);
    this.#iv = iv;
    this.#ivMiddle = iv.readUInt32BE(4);
    this.#ivLow = iv.readUInt32BE(8);
    const keyMemory = new IoBuffer(suite.keyLength);
    keyMemory.bytes.set(key);
    this.#context = openssl.EVP_CIPHER_CTX_new();
    const pointer = keyMemory.addressOf(0, suite.keyLength);
    const set = openssl.EVP_CipherInit_ex(this.#context, fetchCipher(suite.cipher), 0, pointer, 0, direction);
    keyMemory.bytes.fill(0);
    key.fill(0);
    if (set !== 1) throw new MisuseError(`OpenSSL refused a key for ${suite.cipher}`);
  }

  /** The nonce of the next record: its number, exclusive-or the static part. */
  #setNonce(): void {
    const number = this.records++;
    const { bytes } = nonce;
    this.#iv.copy(bytes, 0, 0, 4);
    bytes.writeUInt32BE((this.#ivMiddle ^ Math.floor(number / UINT32)) >>> 0, 4);
    bytes.writeUInt32BE((this.#ivLow ^ (number % UINT32)) >>> 0, 8);
    openssl.EVP_CipherInit_ex(this.#context, 0, 0, 0, nonce.addressOf(0, NONCE_BYTES), -1);
  }

  /**
   * Makes one record of `length` bytes of plaintext.
   * @param from address of the plaintext
   * @param length at most MAX_PLAINTEXT_BYTES
   * @param record memory for `length` + RECORD_OVERHEAD_BYTES from `at` on
   * @param address of `record[at]`
   * @returns bytes of the record
   */
  seal(type: ContentType, from: number, length: number, record: Buffer, at: number, address: number): number {
    const inner = length + 1;
    const protectedLength = inner + TAG_BYTES;
    record[at] = CONTENT_TYPE.applicationData;
    record[at + 1] = 3;
    record[at + 2] = 3;
    record[at + 3] = protectedLength >> 8;
    record[at + 4] = protectedLength & 0xff;
    const body = address + RECORD_HEADER_BYTES;
    const typePointer = contentTypes.addressOf(type, 1);
    const count = written.addressOf(0, 4);
    const context = this.#context;
    this.#setNonce();
    const sealed =
      openssl.EVP_CipherUpdate(context, 0, count, address, RECORD_HEADER_BYTES) === 1 &&
      (length === 0 || openssl.EVP_CipherUpdate(context, body, count, from, length) === 1) &&
      openssl.EVP_CipherUpdate(context, body + length, count, typePointer, 1) === 1 &&
      openssl.EVP_CipherFinal_ex(context, body + inner, count) === 1 &&
      openssl.EVP_CIPHER_CTX_ctrl(context, openssl.EVP_CTRL_AEAD_GET_TAG, TAG_BYTES, body + inner) === 1;
    if (!sealed) throw new MisuseError('OpenSSL did not encrypt a record');
    return RECORD_HEADER_BYTES + protectedLength;
  }

  /**
   * Opens one record.
   * @param address of its header
   * @param length bytes behind the header, at least TAG_BYTES
   * @param into address of room for `length` - TAG_BYTES
   * @returns whether it is as the peer has sealed it; only then what lies at `into` may be used
   */
  open(address: number, length: number, into: number): boolean {
    const body = address + RECORD_HEADER_BYTES;
    const inner = length - TAG_BYTES;
    const count = written.addressOf(0, 4);
    const context = this.#context;
    this.#setNonce();
    return (
      openssl.EVP_CIPHER_CTX_ctrl(context, openssl.EVP_CTRL_AEAD_SET_TAG, TAG_BYTES, body + inner) === 1 &&
      openssl.EVP_CipherUpdate(context, 0, count, address, RECORD_HEADER_BYTES) === 1 &&
      openssl.EVP_CipherUpdate(context, into, count, body, inner) === 1 &&
      openssl.EVP_CipherFinal_ex(context, into + inner, count) === 1
    );
  }

  /** Frees the key. */
  close(): void {
    if (this.#context === 0) return;
    openssl.EVP_CIPHER_CTX_free(this.#context);
    this.#context = 0;
  }
}
