import { createInflate } from 'node:zlib';
import type { Inflate } from 'node:zlib';

import { spdyDictionary } from './dictionary.ts';
import { SpdyProtocolError } from './frames.ts';

/** Header names in lower case; a name occurs once. */
export type SpdyHeaders = ReadonlyMap<string, string>;

/** Of one block, inflated. What kubectl sends has less than 200 bytes. */
const maxInflatedBytes = 64 * 1024;
const maxPairs = 64;

/**
 * Inflates the header blocks of one direction of a connection: they are one zlib stream, so that each has to be inflated, in
 * order, whether anybody wants it or not.
 */
export class HeaderInflater implements Disposable {
  readonly #inflate: Inflate;
  #chunks: Buffer[] = [];
  #bytes = 0;
  #failure: SpdyProtocolError | undefined;
  #waiting: ((error: SpdyProtocolError | undefined) => void) | undefined;

  constructor() {
    this.#inflate = createInflate({ dictionary: spdyDictionary, chunkSize: 4096 });
    this.#inflate.on('data', (chunk: Buffer) => {
      this.#bytes += chunk.length;
      if (this.#bytes > maxInflatedBytes)
        this.#fail(
          new SpdyProtocolError(`a header block that inflates to more than ${maxInflatedBytes} bytes`),
        );
      else this.#chunks.push(chunk);
    });
    this.#inflate.on('error', (cause) =>
      this.#fail(new SpdyProtocolError('a header block that cannot be inflated', { cause })),
    );
  }

  /** The next block. One at a time. @throws SpdyProtocolError */
  async next(block: Buffer): Promise<SpdyHeaders> {
    if (this.#failure !== undefined) throw this.#failure;
    this.#bytes = 0;
    this.#chunks = [];
    await new Promise<void>((resolve, reject) => {
      this.#waiting = (error) => {
        this.#waiting = undefined;
        if (error === undefined) resolve();
        else reject(error);
      };
      this.#inflate.write(block, () => this.#waiting?.(this.#failure));
    });
    return parseHeaders(Buffer.concat(this.#chunks));
  }

  [Symbol.dispose](): void {
    this.#inflate.destroy();
    this.#waiting?.(new SpdyProtocolError('closed within a header block'));
  }

  #fail(error: SpdyProtocolError): void {
    this.#failure ??= error;
    this.#chunks = [];
    this.#inflate.destroy();
    this.#waiting?.(error);
  }
}

/** Pairs of name and value, each behind its length in four bytes, behind their number. @throws SpdyProtocolError */
export function parseHeaders(bytes: Buffer): SpdyHeaders {
  let at = 0;
  const length = (): number => {
    if (at + 4 > bytes.length) throw new SpdyProtocolError('a header block that ends too early');
    const value = bytes.readUInt32BE(at);
    at += 4;
    return value;
  };
  const text = (): string => {
    const size = length();
    if (at + size > bytes.length) throw new SpdyProtocolError('a header that is longer than its block');
    const value = bytes.toString('latin1', at, at + size);
    at += size;
    return value;
  };
  const pairs = length();
  if (pairs > maxPairs) throw new SpdyProtocolError(`${pairs} headers, more than the ${maxPairs} allowed`);
  const headers = new Map<string, string>();
  for (let i = 0; i < pairs; i++) {
    const name = text().toLowerCase();
    if (name === '' || headers.has(name))
      throw new SpdyProtocolError(`header ${JSON.stringify(name)} is empty or comes twice`);
    headers.set(name, text());
  }
  return headers;
}

/** The pairs before they are compressed. */
export function encodeHeaders(headers: Iterable<readonly [string, string]>): Buffer {
  const parts: Buffer[] = [];
  let pairs = 0;
  const word = (value: number): Buffer => {
    const bytes = Buffer.alloc(4);
    bytes.writeUInt32BE(value);
    return bytes;
  };
  for (const [name, value] of headers) {
    pairs++;
    for (const text of [name, value]) parts.push(word(Buffer.byteLength(text)), Buffer.from(text));
  }
  return Buffer.concat([word(pairs), ...parts]);
}

/** An empty stored block, at which inflaters hand out what they have (the mark of a Z_SYNC_FLUSH). */
const flush = Buffer.from([0, 0, 0, 0xff, 0xff]);

/**
 * Makes the header blocks that this side sends: a zlib stream whose blocks are stored as they are (RFC 1951 section 3.2.4).
 * What a server of Kubernetes says in headers is nothing, so that there is nothing to compress.
 */
export class HeaderStorer {
  #started = false;

  next(headers: Iterable<readonly [string, string]>): Buffer {
    const bytes = encodeHeaders(headers);
    const stored = Buffer.alloc(5);
    stored.writeUInt16LE(bytes.length, 1);
    stored.writeUInt16LE(~bytes.length & 0xffff, 3);
    // CMF and FLG of RFC 1950: deflate with a window of 32 KiB, no dictionary.
    const start = this.#started ? [] : [Buffer.from([0x78, 0x01])];
    this.#started = true;
    return Buffer.concat([...start, stored, bytes, flush]);
  }
}
