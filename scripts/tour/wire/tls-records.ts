/** One TLS record as it stands on the wire (RFC 8446 section 5.1). */
export interface TlsRecord {
  readonly type: number;
  /** Header included. */
  readonly bytes: Buffer;
}

export const contentType = { changeCipherSpec: 20, alert: 21, handshake: 22, applicationData: 23 } as const;

/** What the server chose, as it says in the clear before encryption begins (RFC 8446 section 4.1.3). */
export interface ServerHello {
  readonly version: string;
  readonly cipher: string;
  readonly group: string;
}

const RECORD_HEADER = 5;
/** Largest length of a protected record: 2^14 + 256 (RFC 8446 section 5.2). */
const MAX_FRAGMENT = 16_640;
const SERVER_HELLO = 2;
const EXTENSION_SUPPORTED_VERSIONS = 43;
const EXTENSION_KEY_SHARE = 51;

/** Names of the IANA registries "TLS Cipher Suites" and "TLS Supported Groups". */
const ciphers: Readonly<Record<number, string>> = {
  0x1301: 'TLS_AES_128_GCM_SHA256',
  0x1302: 'TLS_AES_256_GCM_SHA384',
  0x1303: 'TLS_CHACHA20_POLY1305_SHA256',
};
const groups: Readonly<Record<number, string>> = {
  0x0017: 'secp256r1',
  0x0018: 'secp384r1',
  0x001d: 'x25519',
  0x11eb: 'SecP256r1MLKEM768',
  0x11ec: 'X25519MLKEM768',
};
const versions: Readonly<Record<number, string>> = { 0x0303: 'TLS 1.2', 0x0304: 'TLS 1.3' };

/** The records of a byte stream, or undefined if the stream is anything else than TLS records from its first byte on. */
export function readTlsRecords(stream: Buffer): TlsRecord[] | undefined {
  const records: TlsRecord[] = [];
  for (let at = 0; at < stream.length;) {
    if (at + RECORD_HEADER > stream.length) return undefined;
    const type = stream[at]!;
    const length = stream.readUInt16BE(at + 3);
    const isRecord = type >= 20 && type <= 23 && stream[at + 1] === 3 && length <= MAX_FRAGMENT;
    if (!isRecord || at + RECORD_HEADER + length > stream.length) return undefined;
    records.push({ type, bytes: stream.subarray(at, at + RECORD_HEADER + length) });
    at += RECORD_HEADER + length;
  }
  return records;
}

/** Reads a handshake record that is a ServerHello; undefined if it is another message or a malformed one. */
export function readServerHello(record: TlsRecord): ServerHello | undefined {
  if (record.type !== contentType.handshake || record.bytes[RECORD_HEADER] !== SERVER_HELLO) return undefined;
  try {
    return parseServerHello(record.bytes.subarray(RECORD_HEADER + 4));
  } catch (error) {
    if (error instanceof RangeError) return undefined; // shorter than its lengths say
    throw error;
  }
}

function parseServerHello(body: Buffer): ServerHello {
  const legacyVersion = body.readUInt16BE(0);
  const sessionIdLength = body.readUInt8(34);
  let at = 35 + sessionIdLength;
  const cipher = body.readUInt16BE(at);
  at += 3; // the cipher and the compression method
  const end = at + 2 + body.readUInt16BE(at);
  at += 2;
  let version = legacyVersion;
  let group = 0;
  while (at < end) {
    const type = body.readUInt16BE(at);
    if (type === EXTENSION_SUPPORTED_VERSIONS) version = body.readUInt16BE(at + 4);
    if (type === EXTENSION_KEY_SHARE) group = body.readUInt16BE(at + 4);
    at += 4 + body.readUInt16BE(at + 2);
  }
  return {
    version: versions[version] ?? hex(version),
    cipher: ciphers[cipher] ?? hex(cipher),
    group: groups[group] ?? hex(group),
  };
}

function hex(value: number): string {
  return `0x${value.toString(16).padStart(4, '0')}`;
}
