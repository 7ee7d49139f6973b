import type { ByteBuffer } from '../byte-buffer.ts';
import { DynamicTable } from './dynamic-table.ts';
import { encodeHuffman, huffmanLength } from './huffman.ts';
import { encodeInteger, MAX_INTEGER_BYTES } from './integer.ts';
import { Field, FIELD_OVERHEAD, FIRST_DYNAMIC_INDEX, STATIC_NAMES } from './static-table.ts';

/** Secrets: sent as never-indexed, so that no hop puts them into a table (RFC 7541, section 7.1.3). */
const SENSITIVE_NAMES: ReadonlySet<string> = new Set([
  'authorization',
  'cookie',
  'proxy-authorization',
  'set-cookie',
]);

/** Differ from message to message: in the table they would only push out what repeats. */
const UNREPEATED_NAMES: ReadonlySet<string> = new Set([
  ':path',
  'age',
  'content-length',
  'date',
  'etag',
  'forwarded',
  'if-modified-since',
  'if-none-match',
  'last-modified',
  'location',
  'traceparent',
  'tracestate',
  'x-b3-spanid',
  'x-b3-traceid',
  'x-request-id',
]);

/** A header that cannot be sent: the caller's mistake, not the peer's. */
export class HeaderEncodingError extends Error {
  readonly code = 'HEADER_NOT_ENCODABLE';
  override readonly name = 'HeaderEncodingError';
}

/** No further secrets than those that every connection knows. */
export const NO_NAMES: readonly string[] = [];

/** What the dynamic table holds of one name. */
interface IndexedName {
  /** Number of its newest entry, counted as `DynamicTable.inserted`. */
  newest: number;
  readonly values: Map<string, number>;
}

/**
 * Encodes header blocks of one direction of a connection (RFC 7541).
 *
 * Names must be lower case and strings must be byte strings, one character per byte. Repeated fields become one byte;
 * strings are Huffman coded when that is shorter.
 */
export class HpackEncoder {
  readonly #table: DynamicTable;
  readonly #sensitive: ReadonlySet<string>;
  readonly #tableCap: number;
  #names: Map<string, IndexedName> | undefined;
  /** Smallest table size since the last block, when the peer is still to be told of a change; else -1. */
  #lowestSize = -1;

  /**
   * @param tableCap most bytes that our side spends on the table, whatever the peer allows.
   * @param sensitive names to send as never-indexed.
   */
  constructor(tableCap: number, sensitive: ReadonlySet<string> = SENSITIVE_NAMES) {
    this.#table = new DynamicTable(Math.min(tableCap, 4096));
    this.#tableCap = tableCap;
    this.#sensitive = sensitive;
    // The peer takes 4096 for granted (RFC 9113, section 6.5.2), so a smaller table must be announced.
    if (tableCap < 4096) this.#lowestSize = tableCap;
  }

  /** Bytes counted in the dynamic table. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** The peer's SETTINGS_HEADER_TABLE_SIZE has changed; the next block says what we make of it (section 4.2). */
  setPeerTableLimit(limit: number): void {
    const size = Math.min(limit, this.#tableCap);
    if (size === this.#table.maxSize && this.#lowestSize < 0) return;
    this.#lowestSize = this.#lowestSize < 0 ? size : Math.min(this.#lowestSize, size);
    while (this.#table.length > 0 && this.#table.size > size) this.#evictOldest();
    this.#table.resize(size);
  }

  /**
   * Appends the block for `headers` (names and values in turn) to `target`.
   *
   * @param neverIndex names to send never-indexed besides the sensitive ones: those that an intermediary got so.
   * @throws HeaderEncodingError when a character is outside 0..255, or a value holds NUL, CR or LF; nothing of the block
   * may be sent then, but the encoder is still good.
   */
  encode(headers: readonly string[], target: ByteBuffer, neverIndex: readonly string[] = NO_NAMES): void {
    for (let i = 0; i < headers.length; i++) checkEncodable(headers[i]!);
    this.#announceSize(target);
    for (let i = 0; i + 1 < headers.length; i += 2) {
      const name = headers[i]!;
      const sensitive = this.#sensitive.has(name) || (neverIndex.length > 0 && neverIndex.includes(name));
      this.#encodeField(name, headers[i + 1]!, sensitive, target);
    }
  }

  #announceSize(target: ByteBuffer): void {
    if (this.#lowestSize < 0) return;
    target.ensure(2 * MAX_INTEGER_BYTES);
    if (this.#lowestSize < this.#table.maxSize)
      target.length = encodeInteger(target.bytes, target.length, 0x20, 5, this.#lowestSize);
    target.length = encodeInteger(target.bytes, target.length, 0x20, 5, this.#table.maxSize);
    this.#lowestSize = -1;
  }

  #encodeField(name: string, value: string, sensitive: boolean, target: ByteBuffer): void {
    target.ensure(name.length + value.length + 3 * MAX_INTEGER_BYTES);
    const fixed = STATIC_NAMES.get(name);
    const indexed = this.#names?.get(name);
    if (!sensitive) {
      let index = fixed?.values.get(value);
      if (index === undefined) {
        const number = indexed?.values.get(value);
        if (number !== undefined) index = this.#indexOf(number);
      }
      if (index !== undefined) {
        target.length = encodeInteger(target.bytes, target.length, 0x80, 7, index);
        return;
      }
    }
    const nameIndex =
      fixed !== undefined ? fixed.index : indexed !== undefined ? this.#indexOf(indexed.newest) : 0;
    if (sensitive) this.#literal(0x10, 4, nameIndex, name, value, target);
    else if (!this.#worthIndexing(name, value)) this.#literal(0x00, 4, nameIndex, name, value, target);
    else {
      this.#literal(0x40, 6, nameIndex, name, value, target);
      this.#add(name, value);
    }
  }

  #literal(
    flags: number,
    prefixBits: number,
    nameIndex: number,
    name: string,
    value: string,
    target: ByteBuffer,
  ): void {
    let at = encodeInteger(target.bytes, target.length, flags, prefixBits, nameIndex);
    if (nameIndex === 0) at = encodeString(name, target.bytes, at);
    target.length = encodeString(value, target.bytes, at);
  }

  #worthIndexing(name: string, value: string): boolean {
    // One entry must not empty most of the table.
    if (name.length + value.length + FIELD_OVERHEAD > this.#table.maxSize / 2) return false;
    return !UNREPEATED_NAMES.has(name);
  }

  #indexOf(number: number): number {
    return FIRST_DYNAMIC_INDEX + this.#table.inserted - number;
  }

  #add(name: string, value: string): void {
    const field = new Field(name, value, 0);
    while (this.#table.mustEvictFor(field.size)) this.#evictOldest();
    this.#table.add(field);
    const number = this.#table.inserted;
    this.#names ??= new Map();
    const indexed = this.#names.get(name);
    if (indexed === undefined) {
      this.#names.set(name, { newest: number, values: new Map([[value, number]]) });
      return;
    }
    indexed.newest = number;
    indexed.values.set(value, number);
  }

  #evictOldest(): void {
    const field = this.#table.evictOldest();
    const indexed = this.#names!.get(field.name)!;
    // A pair is added only when it is not in the table, so this is its only entry.
    indexed.values.delete(field.value);
    if (indexed.values.size === 0) this.#names!.delete(field.name);
  }
}

function encodeString(text: string, target: Uint8Array, at: number): number {
  const coded = huffmanLength(text);
  if (coded < text.length) {
    return encodeHuffman(text, target, encodeInteger(target, at, 0x80, 7, coded));
  }
  at = encodeInteger(target, at, 0, 7, text.length);
  for (let i = 0; i < text.length; i++) target[at++] = text.charCodeAt(i);
  return at;
}

function checkEncodable(text: string): void {
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code > 255 || code === 0 || code === 10 || code === 13)
      throw new HeaderEncodingError(
        `a header cannot carry character ${code} (in ${JSON.stringify(text.slice(0, 64))}): encode it first, e.g. as a byte string of UTF-8`,
      );
  }
}
