/**
 * The part of DNS messages (RFC 1035 section 4) that the proxy reads: header, question, EDNS. All else of a message is
 * forwarded as bytes. Names stay bytes too, so that labels with dots or without a text survive.
 */

export const HEADER_BYTES = 12;
/** What a TCP length prefix can say (RFC 1035 section 4.2.2). */
export const MAX_MESSAGE_BYTES = 65_535;
/** Largest UDP message of a client that says nothing of EDNS (RFC 1035 section 2.3.4). */
export const CLASSIC_UDP_BYTES = 512;

const MAX_NAME_BYTES = 255;
const MAX_LABEL_BYTES = 63;
const MAX_POINTER_JUMPS = 16;
const POINTER = 0xc0;
const DOT = 0x2e;

export const recordTypes = { A: 1, CNAME: 5, AAAA: 28, OPT: 41, IXFR: 251, AXFR: 252 } as const;
export const CLASS_IN = 1;

export const rcodes = {
  NOERROR: 0,
  FORMERR: 1,
  SERVFAIL: 2,
  NXDOMAIN: 3,
  NOTIMP: 4,
  REFUSED: 5,
  BADVERS: 16,
} as const;
export type Rcode = (typeof rcodes)[keyof typeof rcodes];

export const OPCODE_QUERY = 0;

/** Bits of the second header word (RFC 1035 section 4.1.1, RFC 4035 section 3). */
export const flags = {
  response: 0x8000,
  opcode: 0x7800,
  authoritative: 0x0400,
  truncated: 0x0200,
  recursionDesired: 0x0100,
  recursionAvailable: 0x0080,
  checkingDisabled: 0x0010,
  rcode: 0x000f,
} as const;

/** What the client says by EDNS (RFC 6891). */
export interface Edns {
  /** Largest UDP message that it takes, in bytes, at least 512. */
  readonly udpBytes: number;
  readonly version: number;
  /** The DO bit (RFC 3225). */
  readonly dnssecOk: boolean;
  /** There are options such as cookies: an answer to it is good for this query alone. */
  readonly hasOptions: boolean;
}

/** A query with its one question. Offsets are into the message. */
export interface DnsQuery {
  readonly id: number;
  readonly flags: number;
  readonly opcode: number;
  /** Lower-case labels joined by dots, without the last; undefined if the name has other bytes than printable ASCII. */
  readonly name: string | undefined;
  readonly type: number;
  readonly class: number;
  /** Where the question ends, which begins at byte 12. */
  readonly questionEnd: number;
  readonly edns: Edns | undefined;
}

/** Why a message is no query that can be answered. */
export type Malformed =
  | { readonly kind: 'drop'; readonly why: 'shorter than a header' | 'a response' }
  | { readonly kind: 'refuse'; readonly rcode: Rcode; readonly why: string };

const refuse = (why: string): Malformed => ({ kind: 'refuse', rcode: rcodes.FORMERR, why });

/** Reads a message of a client. @param length of the message, which begins at byte 0 of `bytes` */
export function readQuery(
  bytes: Buffer,
  length: number,
): { readonly kind: 'query'; readonly query: DnsQuery } | Malformed {
  if (length < HEADER_BYTES) return { kind: 'drop', why: 'shorter than a header' };
  const flagBits = bytes.readUInt16BE(2);
  // To answer an answer could go on for ever.
  if ((flagBits & flags.response) !== 0) return { kind: 'drop', why: 'a response' };
  if (bytes.readUInt16BE(4) !== 1) return refuse('not one question');
  const nameEnd = endOfPlainName(bytes, HEADER_BYTES, length);
  if (nameEnd < 0 || nameEnd + 4 > length) return refuse('the question is cut off or its name invalid');
  const questionEnd = nameEnd + 4;
  const records = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  const edns = records === 0 ? undefined : readEdns(bytes, length, questionEnd, records);
  if (edns === 'malformed') return refuse('a record is cut off or invalid, or there are two OPT records');
  return {
    kind: 'query',
    query: {
      id: bytes.readUInt16BE(0),
      flags: flagBits,
      opcode: (flagBits & flags.opcode) >> 11,
      name: nameText(bytes, HEADER_BYTES),
      type: bytes.readUInt16BE(nameEnd),
      class: bytes.readUInt16BE(nameEnd + 2),
      questionEnd,
      edns,
    },
  };
}

/** @returns where a name without compression ends, or -1 */
function endOfPlainName(bytes: Buffer, start: number, length: number): number {
  for (let at = start; at < length;) {
    const label = bytes[at]!;
    if (label === 0) return at + 1 - start <= MAX_NAME_BYTES ? at + 1 : -1;
    if (label > MAX_LABEL_BYTES) return -1;
    at += label + 1;
  }
  return -1;
}

/**
 * Steps over a name that may be compressed, and follows its pointers for a check: each must lead further back, so that no
 * message can make a loop.
 * @returns where the next field begins, or -1
 */
function endOfName(bytes: Buffer, start: number, length: number): number {
  let next = -1;
  let at = start;
  let limit = start;
  let total = 0;
  for (let jumps = 0; ;) {
    if (at >= length) return -1;
    const label = bytes[at]!;
    if ((label & POINTER) === POINTER) {
      if (at + 2 > length || ++jumps > MAX_POINTER_JUMPS) return -1;
      if (next < 0) next = at + 2;
      at = bytes.readUInt16BE(at) & 0x3fff;
      if (at >= limit || at < HEADER_BYTES) return -1;
      limit = at;
      continue;
    }
    if (label > MAX_LABEL_BYTES) return -1;
    total += label + 1;
    if (total > MAX_NAME_BYTES) return -1;
    at += label + 1;
    if (label === 0) return next < 0 ? at : next;
  }
}

/** A resource record as offsets; the fields before `data` are at `nameEnd`. */
export interface RecordPlace {
  readonly type: number;
  /** Of type, class, TTL (four bytes at +4) and length. */
  readonly nameEnd: number;
  readonly end: number;
}

/** The record that begins at `at`; undefined if it is cut off or invalid. */
export function recordAt(bytes: Buffer, at: number, length: number): RecordPlace | undefined {
  const nameEnd = endOfName(bytes, at, length);
  if (nameEnd < 0 || nameEnd + 10 > length) return undefined;
  const end = nameEnd + 10 + bytes.readUInt16BE(nameEnd + 8);
  return end > length ? undefined : { type: bytes.readUInt16BE(nameEnd), nameEnd, end };
}

function readEdns(
  bytes: Buffer,
  length: number,
  start: number,
  records: number,
): Edns | 'malformed' | undefined {
  let edns: Edns | undefined;
  let at = start;
  // A record has eleven bytes at least, so a count that lies ends soon.
  for (let i = 0; i < records; i++) {
    const record = recordAt(bytes, at, length);
    if (record === undefined) return 'malformed';
    if (record.type === recordTypes.OPT) {
      if (edns !== undefined || record.nameEnd !== at + 1) return 'malformed'; // RFC 6891 section 6.1.1
      edns = {
        udpBytes: Math.max(CLASSIC_UDP_BYTES, bytes.readUInt16BE(record.nameEnd + 2)),
        version: bytes[record.nameEnd + 5]!,
        dnssecOk: (bytes[record.nameEnd + 6]! & 0x80) !== 0,
        hasOptions: record.end > record.nameEnd + 10,
      };
    }
    at = record.end;
  }
  return edns;
}

const nameScratch = Buffer.alloc(MAX_NAME_BYTES);

function nameText(bytes: Buffer, start: number): string | undefined {
  let written = 0;
  for (let at = start; bytes[at] !== 0; at += bytes[at]! + 1) {
    if (written > 0) nameScratch[written++] = DOT;
    for (let i = at + 1; i <= at + bytes[at]!; i++) {
      const byte = bytes[i]!;
      if (byte <= 0x20 || byte >= 0x7f || byte === DOT) return undefined;
      nameScratch[written++] = lowerCase(byte);
    }
  }
  return nameScratch.toString('latin1', 0, written);
}

/**
 * Whether `bytes` is the answer to a query that was sent under `id` with `question` (bytes 12 to the question's end). Names are
 * compared without case: not every server keeps it. A server that did not understand may leave the question out.
 */
export function answers(bytes: Buffer, length: number, id: number, question: Buffer): boolean {
  if (length < HEADER_BYTES || bytes.readUInt16BE(0) !== id) return false;
  const flagBits = bytes.readUInt16BE(2);
  if ((flagBits & flags.response) === 0) return false;
  const questions = bytes.readUInt16BE(4);
  if (questions === 0) return (flagBits & flags.rcode) !== 0 && bytes.readUInt16BE(6) === 0;
  if (questions !== 1 || length < HEADER_BYTES + question.length) return false;
  const typeAt = question.length - 4;
  for (let i = 0; i < question.length; i++) {
    const a = bytes[HEADER_BYTES + i]!;
    const b = question[i]!;
    if (a !== b && (i >= typeAt || lowerCase(a) !== lowerCase(b))) return false;
  }
  return true;
}

/** Lengths of labels are below 64, so they are never taken for letters. */
function lowerCase(byte: number): number {
  return byte >= 0x41 && byte <= 0x5a ? byte | 0x20 : byte;
}
