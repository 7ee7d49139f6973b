import { copyBytes } from '../byte-buffer.ts';
import { DynamicTable } from './dynamic-table.ts';
import { FieldFault, isFieldName, isFieldValue } from './field-syntax.ts';
import { decodeHuffman } from './huffman.ts';
import { Field, FIRST_DYNAMIC_INDEX, STATIC_FIELDS } from './static-table.ts';

const NO_BYTES = new Uint8Array(0);
const NO_NAMES: readonly string[] = [];

/** Integers above this are refused: nothing in a header block can be this long (RFC 7541, section 5.1). */
const MAX_INTEGER = 0x0fff_ffff;

/** Strings are decoded here first; one per thread is enough, decoding does not nest. */
let scratch = Buffer.allocUnsafeSlow(4096);

function reserveScratch(length: number): void {
  if (scratch.length < length) scratch = Buffer.allocUnsafeSlow(length * 2);
}

/**
 * Decodes header blocks of one direction of a connection (RFC 7541).
 *
 * Strings are byte strings: one character per byte, 0..255. Faults in the fields themselves do not stop it, because the
 * dynamic table must keep step with the peer's: they are told by {@link fault} and {@link oversize}. Only what breaks the
 * table for good is an error.
 */
export class HpackDecoder {
  /** Why the last `decode` failed, else ''. */
  error = '';
  /** Whether the last block was larger than the limit; its list is cut. */
  oversize = false;
  /** A `FieldFault` of the last block, the first one met. */
  fault: number = FieldFault.none;

  /** Names of the fields of the last block that its sender marked never-indexed (section 6.2.3). */
  neverIndexed: readonly string[] = NO_NAMES;

  readonly #table: DynamicTable;
  #tableLimit: number;
  #sizeUpdateDue = false;
  readonly #maxListSize: number;
  #bytes: Uint8Array = NO_BYTES;
  #at = 0;
  #end = 0;
  #nameFault: number = FieldFault.none;
  #marked: string[] | undefined;

  /**
   * @param tableLimit our SETTINGS_HEADER_TABLE_SIZE, bytes.
   * @param maxListSize our SETTINGS_MAX_HEADER_LIST_SIZE: sum over fields of name + value + 32 bytes.
   * @param tableSize bytes of the table until the peer's encoder says otherwise; HTTP/2 begins with 4096.
   */
  constructor(tableLimit: number, maxListSize: number, tableSize = 4096) {
    this.#table = new DynamicTable(tableSize);
    this.#tableLimit = tableLimit;
    this.#maxListSize = maxListSize;
  }

  /** Bytes counted in the dynamic table. */
  get tableSize(): number {
    return this.#table.size;
  }

  /** Our SETTINGS with another table size were acknowledged: from here the peer must keep to it (section 4.2). */
  setTableLimit(limit: number): void {
    this.#tableLimit = limit;
    if (limit < this.#table.maxSize) this.#sizeUpdateDue = true;
  }

  /**
   * Decodes one whole header block, `bytes[start..end)`.
   *
   * @returns names and values in turn; undefined with {@link error} set when the connection must end with
   * COMPRESSION_ERROR.
   */
  decode(bytes: Uint8Array, start: number, end: number): string[] | undefined {
    this.error = '';
    this.oversize = false;
    this.fault = FieldFault.none;
    this.neverIndexed = NO_NAMES;
    this.#marked = undefined;
    this.#bytes = bytes;
    this.#at = start;
    this.#end = end;
    const list: string[] = [];
    const decoded = this.#decodeInto(list);
    this.#bytes = NO_BYTES;
    return decoded ? list : undefined;
  }

  #decodeInto(list: string[]): boolean {
    let listSize = 0;
    let first = true;
    while (this.#at < this.#end) {
      const byte = this.#bytes[this.#at]!;
      if ((byte & 0xe0) === 0x20) {
        if (!first) return this.#fail('a table size update stands after a field');
        if (!this.#resize()) return false;
        continue;
      }
      if (first && this.#sizeUpdateDue) return this.#fail('the table size was not lowered as SETTINGS ask');
      first = false;
      const field = this.#readField(byte);
      if (field === undefined) {
        if (this.error !== '') return false;
        continue; // skipped, the list is over its limit already
      }
      listSize += field.size;
      if (listSize > this.#maxListSize) {
        this.oversize = true;
        continue;
      }
      if (field.fault !== FieldFault.none && this.fault === FieldFault.none) this.fault = field.fault;
      list.push(field.name, field.value);
    }
    return true;
  }

  #resize(): boolean {
    const size = this.#integer(0x1f);
    if (size < 0) return false;
    if (size > this.#tableLimit) return this.#fail('a table size update exceeds the limit of SETTINGS');
    this.#table.resize(size);
    this.#sizeUpdateDue = false;
    return true;
  }

  #readField(byte: number): Field | undefined {
    if ((byte & 0x80) !== 0) {
      const index = this.#integer(0x7f);
      return index < 0 ? undefined : this.#lookUp(index);
    }
    const indexed = (byte & 0x40) !== 0;
    const nameIndex = this.#integer(indexed ? 0x3f : 0x0f);
    if (nameIndex < 0) return undefined;
    if (this.oversize && !indexed) {
      // Nothing of it is kept, in the table or in the list.
      if (nameIndex === 0) this.#skipString();
      if (this.error === '') this.#skipString();
      return undefined;
    }
    let name: string | undefined;
    if (nameIndex === 0) name = this.#string(true);
    else {
      const known = this.#lookUp(nameIndex);
      name = known?.name;
      this.#nameFault = known?.fault === FieldFault.name ? FieldFault.name : FieldFault.none;
    }
    if (name === undefined) return undefined;
    const nameFault = this.#nameFault;
    const value = this.#string(false);
    if (value === undefined) return undefined;
    const field = new Field(name, value, nameFault === FieldFault.none ? this.#nameFault : nameFault);
    if (indexed) this.#table.add(field);
    else if ((byte & 0x10) !== 0) this.#markNeverIndexed(name);
    return field;
  }

  #markNeverIndexed(name: string): void {
    this.#marked ??= [];
    this.#marked.push(name);
    this.neverIndexed = this.#marked;
  }

  #lookUp(index: number): Field | undefined {
    const field =
      index < FIRST_DYNAMIC_INDEX ? STATIC_FIELDS[index - 1] : this.#table.get(index - FIRST_DYNAMIC_INDEX);
    if (field === undefined) this.#fail('an index is in neither table');
    return field;
  }

  /** Reads an integer whose prefix is `mask` of the next byte; -1 with `error` set. */
  #integer(mask: number): number {
    const bytes = this.#bytes;
    let at = this.#at;
    let value = bytes[at++]! & mask;
    if (value === mask) {
      let shift = 0;
      for (;;) {
        if (at >= this.#end) return this.#failInteger('the block ends within an integer');
        const byte = bytes[at++]!;
        // Beyond four groups of seven bits only zeroes could keep it in range: padding that nobody sends.
        if (shift > 21) return this.#failInteger('an integer is too long');
        value += (byte & 127) << shift;
        shift += 7;
        if ((byte & 128) === 0) break;
      }
      if (value > MAX_INTEGER) return this.#failInteger('an integer is too large');
    }
    this.#at = at;
    return value;
  }

  /** Reads the length of a string that is wholly within the block; -1 with `error` set. */
  #stringLength(): number {
    if (this.#at >= this.#end) return this.#failInteger('the block ends before a string');
    const length = this.#integer(0x7f);
    if (length > this.#end - this.#at) return this.#failInteger('the block ends within a string');
    return length;
  }

  #skipString(): void {
    const length = this.#stringLength();
    if (length >= 0) this.#at += length;
  }

  /** Reads a string and leaves its fault in `#nameFault`. */
  #string(isName: boolean): string | undefined {
    const huffman = this.#at < this.#end && (this.#bytes[this.#at]! & 0x80) !== 0;
    let length = this.#stringLength();
    if (length < 0) return undefined;
    const start = this.#at;
    this.#at += length;
    if (huffman) {
      reserveScratch(length * 2);
      length = decodeHuffman(this.#bytes, start, start + length, scratch);
      if (length < 0) {
        this.#fail('a Huffman coded string is broken');
        return undefined;
      }
    } else {
      reserveScratch(length);
      copyBytes(this.#bytes, start, start + length, scratch, 0);
    }
    if (isName) this.#nameFault = isFieldName(scratch, length) ? FieldFault.none : FieldFault.name;
    else this.#nameFault = isFieldValue(scratch, length) ? FieldFault.none : FieldFault.value;
    return scratch.toString('latin1', 0, length);
  }

  #fail(error: string): boolean {
    this.error = error;
    return false;
  }

  #failInteger(error: string): number {
    this.error = error;
    return -1;
  }
}
