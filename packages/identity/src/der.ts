/**
 * A strict reader of DER (X.690), for bytes that a peer chose. Safe on data workers: pure and synchronous.
 *
 * It takes only what certificates and revocation lists use: single-byte tags and definite, shortest-form lengths.
 * Whatever is ambiguous is refused, so that nothing can mean one thing here and another thing in OpenSSL.
 */

/** The bytes are not the DER that was expected at this place. */
export class DerError extends Error {
  override readonly name = 'DerError';
  readonly code = 'malformed-der';
}

/** One element: offsets into the cursor's bytes. `start` is its tag, `body` its content, `end` one past its content. */
export interface DerElement {
  readonly tag: number;
  readonly start: number;
  readonly body: number;
  readonly end: number;
}

/** Tags, X.690 section 8. Context tags carry their class and constructed bits. */
export const derTag = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utf8String: 0x0c,
  printableString: 0x13,
  teletexString: 0x14,
  ia5String: 0x16,
  utcTime: 0x17,
  generalizedTime: 0x18,
  bmpString: 0x1e,
  sequence: 0x30,
  set: 0x31,
} as const;

/** Walks the elements of one constructed value, in order. Every method throws {@link DerError} on malformed bytes. */
export class DerCursor {
  readonly bytes: Uint8Array;
  readonly #end: number;
  #position: number;

  constructor(bytes: Uint8Array, from = 0, to = bytes.length) {
    this.bytes = bytes;
    this.#position = from;
    this.#end = to;
  }

  get done(): boolean {
    return this.#position >= this.#end;
  }

  /** Tag of the next element, or -1 at the end. */
  peek(): number {
    return this.done ? -1 : this.bytes[this.#position]!;
  }

  /** Takes the next element; with `tag`, only one of that tag. */
  next(what: string, tag?: number): DerElement {
    const { bytes } = this;
    const start = this.#position;
    if (start + 2 > this.#end) throw new DerError(`${what} is missing or cut off`);
    const found = bytes[start]!;
    if ((found & 0x1f) === 0x1f) throw new DerError(`${what} has a multi-byte tag`);
    if (tag !== undefined && found !== tag)
      throw new DerError(`${what} has tag 0x${found.toString(16)}, expected 0x${tag.toString(16)}`);
    let body = start + 2;
    let length = bytes[start + 1]!;
    if (length >= 0x80) {
      const count = length & 0x7f;
      // 0 is the indefinite form, which DER forbids; more than 4 is beyond any buffer.
      if (count === 0 || count > 4 || body + count > this.#end)
        throw new DerError(`${what} has a bad length`);
      length = 0;
      for (let i = 0; i < count; i++) length = length * 256 + bytes[body + i]!;
      if (length < 0x80 || (count > 1 && bytes[body] === 0))
        throw new DerError(`${what} has a length that is not in its shortest form`);
      body += count;
    }
    const end = body + length;
    if (end > this.#end) throw new DerError(`${what} is longer than what holds it`);
    this.#position = end;
    return { tag: found, start, body, end };
  }

  /** Takes the next element if it has this tag. */
  optional(what: string, tag: number): DerElement | undefined {
    return this.peek() === tag ? this.next(what, tag) : undefined;
  }

  /** A cursor over the content of an element. */
  inside(element: DerElement): DerCursor {
    return new DerCursor(this.bytes, element.body, element.end);
  }

  /** Takes the next element and opens it. */
  enter(what: string, tag: number): DerCursor {
    return this.inside(this.next(what, tag));
  }

  /** Refuses trailing bytes. */
  finish(what: string): void {
    if (!this.done) throw new DerError(`${what} is followed by bytes that do not belong there`);
  }

  /** Content of an element as lower-case hex. */
  hex(element: DerElement): string {
    return toHex(this.bytes, element.body, element.end);
  }

  /** An INTEGER as lower-case hex without the sign octet; refuses one that is not in its shortest form. */
  integerHex(what: string): string {
    const { bytes } = this;
    const { body, end } = this.next(what, derTag.integer);
    if (body === end) throw new DerError(`${what} is empty`);
    if (end - body > 1) {
      const sign = bytes[body + 1]! & 0x80;
      if ((bytes[body] === 0 && sign === 0) || (bytes[body] === 0xff && sign !== 0))
        throw new DerError(`${what} is not in its shortest form`);
    }
    return toHex(bytes, end - body > 1 && bytes[body] === 0 ? body + 1 : body, end);
  }

  /** A BOOLEAN, X.690 section 11.1: 0x00 or 0xff. */
  boolean(what: string): boolean {
    const { body, end } = this.next(what, derTag.boolean);
    const value = this.bytes[body];
    if (end - body !== 1 || (value !== 0 && value !== 0xff))
      throw new DerError(`${what} is not a DER boolean`);
    return value === 0xff;
  }

  /** A UTCTime or GeneralizedTime in the only form RFC 5280 section 4.1.2.5 allows; Unix milliseconds. */
  timeMs(what: string): number {
    const element = this.next(what);
    const text = ascii(this.bytes, element.body, element.end);
    const long = element.tag === derTag.generalizedTime;
    const match = long ? generalizedTime.exec(text) : utcTime.exec(text);
    if (match === null || (!long && element.tag !== derTag.utcTime))
      throw new DerError(`${what} is not a time in UTC to the second`);
    const [year, month, day, hour, minute, second] = match.slice(1).map(Number) as [
      number,
      number,
      number,
      number,
      number,
      number,
    ];
    const fullYear = long ? year : year < 50 ? 2000 + year : 1900 + year;
    const time = new Date(0);
    time.setUTCFullYear(fullYear, month - 1, day);
    time.setUTCHours(hour, minute, second);
    if (time.getUTCMonth() !== month - 1 || time.getUTCDate() !== day || time.getUTCHours() !== hour)
      throw new DerError(`${what} is no date of the calendar`);
    return time.getTime();
  }
}

const utcTime = /^(\d\d)(\d\d)(\d\d)(\d\d)([0-5]\d)([0-5]\d)Z$/;
const generalizedTime = /^(\d{4})(\d\d)(\d\d)(\d\d)([0-5]\d)([0-5]\d)Z$/;

const hexByte = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, '0'));

export function toHex(bytes: Uint8Array, from = 0, to = bytes.length): string {
  let text = '';
  for (let i = from; i < to; i++) text += hexByte[bytes[i]!]!;
  return text;
}

/** Bytes one to one as code units; the caller decides what to allow. */
export function ascii(bytes: Uint8Array, from: number, to: number): string {
  let text = '';
  for (let i = from; i < to; i++) text += String.fromCharCode(bytes[i]!);
  return text;
}
