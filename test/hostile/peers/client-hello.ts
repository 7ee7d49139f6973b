/** What a ClientHello offers (RFC 8446, section 4.1.2), in its order. */
export interface ClientHello {
  readonly suites: readonly number[];
  /** Their types. */
  readonly extensions: readonly number[];
  readonly versions: readonly number[];
  readonly groups: readonly number[];
  readonly protocols: readonly string[];
}

const SUPPORTED_GROUPS = 10;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;
const HEADER_BYTES = 5 + 4 + 2 + 32; // of the record and the message, the old version, the random

/** Reads the first flight of a client, which is one record. */
export function readClientHello(record: Buffer): ClientHello {
  const reader = new Reader(record.subarray(HEADER_BYTES));
  reader.vector(1); // the old session id
  const suites = reader.vector(2).numbers();
  reader.vector(1); // compression
  const list = reader.vector(2);
  const extensions = new Map<number, Reader>();
  while (list.left > 0) extensions.set(list.number(2), list.vector(2));
  const protocols: string[] = [];
  const names = extensions.get(ALPN)?.vector(2);
  while (names !== undefined && names.left > 0) protocols.push(names.vector(1).text());
  return {
    suites,
    extensions: [...extensions.keys()],
    versions: extensions.get(SUPPORTED_VERSIONS)?.vector(1).numbers() ?? [],
    groups: extensions.get(SUPPORTED_GROUPS)?.vector(2).numbers() ?? [],
    protocols,
  };
}

class Reader {
  #bytes: Buffer;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
  }

  get left(): number {
    return this.#bytes.length;
  }

  number(size: number): number {
    const value = this.#bytes.readUIntBE(0, size);
    this.#bytes = this.#bytes.subarray(size);
    return value;
  }

  /** What stands behind a length of so many bytes. */
  vector(lengthSize: number): Reader {
    const length = this.number(lengthSize);
    const content = this.#bytes.subarray(0, length);
    this.#bytes = this.#bytes.subarray(length);
    return new Reader(content);
  }

  /** All of it, by two bytes. */
  numbers(): number[] {
    const found: number[] = [];
    while (this.left > 0) found.push(this.number(2));
    return found;
  }

  text(): string {
    return this.#bytes.toString('latin1');
  }
}
