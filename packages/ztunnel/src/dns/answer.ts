import { ipToBytes } from '@ambient/mesh';
import type { DnsQuery, Rcode } from './message.ts';
import {
  CLASSIC_UDP_BYTES,
  CLASS_IN,
  HEADER_BYTES,
  MAX_MESSAGE_BYTES,
  flags,
  rcodes,
  recordAt,
  recordTypes,
} from './message.ts';

/** Time to live of what the mesh answers, in seconds (facts §7). */
const MESH_TTL_SECONDS = 30;
/** Largest UDP message that we say we take, as resolvers agreed on in 2020: it crosses every network unfragmented. */
const OWN_UDP_BYTES = 1232;
/** More than UDP can carry (65,535 less the headers of IP and UDP). */
const MAX_UDP_BYTES = 65_507;
const OPT_BYTES = 11;
/** Compressed name, type, class, TTL and length of data. */
const RECORD_HEAD_BYTES = 12;
/** A compressed name: the question's, which begins behind the header. */
const QUESTION_POINTER = 0xc000 | HEADER_BYTES;

/** What the mesh knows of a name. */
export interface MeshRecords {
  /** The name that the question's is another one for: told by a CNAME record that comes first. */
  readonly canonicalName: string | undefined;
  /** All of the family that the question asks for. */
  readonly addresses: readonly string[];
}

/** Largest answer that the client takes. */
export function answerLimit(query: DnsQuery | undefined, protocol: 'udp' | 'tcp'): number {
  if (protocol === 'tcp') return MAX_MESSAGE_BYTES;
  return Math.min(query?.edns?.udpBytes ?? CLASSIC_UDP_BYTES, MAX_UDP_BYTES);
}

/**
 * Writes the mesh's answer to `query`, which is the message in `question`. Records that do not fit are left out, and the
 * answer says so by its TC bit (RFC 1035 section 4.2.1).
 * @param out has room for `limit` bytes
 * @returns the bytes written
 */
export function writeAnswer(
  out: Buffer,
  question: Buffer,
  query: DnsQuery,
  records: MeshRecords,
  limit: number,
): number {
  let at = writeQuestion(out, question, query);
  const room = limit - (query.edns === undefined ? 0 : OPT_BYTES);
  let owner = QUESTION_POINTER;
  let count = 0;
  let truncated = false;
  if (records.canonicalName !== undefined) {
    const end = writeName(out, at + RECORD_HEAD_BYTES, records.canonicalName);
    if (end <= room) {
      writeRecordHead(out, at, owner, recordTypes.CNAME, end - at - RECORD_HEAD_BYTES);
      owner = 0xc000 | (at + RECORD_HEAD_BYTES);
      at = end;
      count++;
    } else truncated = true;
  }
  const dataBytes = query.type === recordTypes.AAAA ? 16 : 4;
  for (const address of truncated ? [] : records.addresses) {
    if (at + RECORD_HEAD_BYTES + dataBytes > room) {
      truncated = true;
      break;
    }
    const data = ipToBytes(address);
    if (data?.length !== dataBytes) continue;
    writeRecordHead(out, at, owner, query.type, dataBytes);
    out.set(data, at + RECORD_HEAD_BYTES);
    at += RECORD_HEAD_BYTES + dataBytes;
    count++;
  }
  out.writeUInt16BE(count, 6);
  writeFlags(out, query, flags.authoritative | (truncated ? flags.truncated : 0), rcodes.NOERROR);
  return writeOpt(out, at, query, rcodes.NOERROR);
}

/** Writes an answer that has nothing but a code. @returns the bytes written */
export function writeFailure(out: Buffer, question: Buffer, query: DnsQuery, rcode: Rcode): number {
  const at = writeQuestion(out, question, query);
  writeFlags(out, query, 0, rcode);
  return writeOpt(out, at, query, rcode);
}

/** Writes an answer to a message of at least a header whose question cannot be read. @returns the bytes written */
export function writeRefusal(out: Buffer, question: Buffer, rcode: Rcode): number {
  out.fill(0, 0, HEADER_BYTES);
  question.copy(out, 0, 0, 2);
  const kept = question.readUInt16BE(2) & (flags.opcode | flags.recursionDesired);
  out.writeUInt16BE(kept | flags.response | flags.recursionAvailable | rcode, 2);
  return HEADER_BYTES;
}

/** Writes what is left of an answer that is too long for the client: ask again by TCP. @returns the bytes written */
export function writeTruncated(out: Buffer, question: Buffer, query: DnsQuery, answer: Buffer): number {
  const at = writeQuestion(out, question, query);
  out.writeUInt16BE(answer.readUInt16BE(2) | flags.truncated, 2);
  return writeOpt(out, at, query, rcodes.NOERROR);
}

/**
 * Sets the TTL of every record of an answer, so that what is stale is asked for again soon (RFC 8767 section 4).
 * @returns false if the answer cannot be read; it may then be half changed
 */
export function setTtl(bytes: Buffer, length: number, questionEnd: number, seconds: number): boolean {
  const count = bytes.readUInt16BE(6) + bytes.readUInt16BE(8) + bytes.readUInt16BE(10);
  let at = questionEnd;
  for (let i = 0; i < count; i++) {
    const record = recordAt(bytes, at, length);
    if (record === undefined) return false;
    // The four bytes are no time in OPT: RFC 6891 section 6.1.3.
    if (record.type !== recordTypes.OPT) bytes.writeUInt32BE(seconds, record.nameEnd + 4);
    at = record.end;
  }
  return true;
}

function writeQuestion(out: Buffer, question: Buffer, query: DnsQuery): number {
  out.fill(0, 0, HEADER_BYTES);
  out.writeUInt16BE(query.id, 0);
  out.writeUInt16BE(1, 4);
  question.copy(out, HEADER_BYTES, HEADER_BYTES, query.questionEnd);
  return query.questionEnd;
}

function writeFlags(out: Buffer, query: DnsQuery, set: number, rcode: Rcode): void {
  const kept = query.flags & (flags.opcode | flags.recursionDesired | flags.checkingDisabled);
  const always = flags.response | flags.recursionAvailable;
  out.writeUInt16BE(kept | always | set | (rcode & flags.rcode), 2);
}

function writeRecordHead(out: Buffer, at: number, owner: number, type: number, dataBytes: number): void {
  out.writeUInt16BE(owner, at);
  out.writeUInt16BE(type, at + 2);
  out.writeUInt16BE(CLASS_IN, at + 4);
  out.writeUInt32BE(MESH_TTL_SECONDS, at + 6);
  out.writeUInt16BE(dataBytes, at + 10);
}

/** @param name part of a name that came in a question, so its labels have valid lengths */
function writeName(out: Buffer, at: number, name: string): number {
  for (let from = 0; from < name.length;) {
    const dot = name.indexOf('.', from);
    const end = dot < 0 ? name.length : dot;
    out[at] = end - from;
    out.write(name.slice(from, end), at + 1, 'latin1');
    at += 1 + end - from;
    from = end + 1;
  }
  out[at] = 0;
  return at + 1;
}

/** Who speaks EDNS is answered by it (RFC 6891 section 6.1.1); DO comes back as it was (RFC 3225 section 3). */
function writeOpt(out: Buffer, at: number, query: DnsQuery, rcode: Rcode): number {
  if (query.edns === undefined) return at;
  out.writeUInt16BE(out.readUInt16BE(10) + 1, 10);
  out[at] = 0;
  out.writeUInt16BE(recordTypes.OPT, at + 1);
  out.writeUInt16BE(OWN_UDP_BYTES, at + 3);
  out[at + 5] = rcode >> 4;
  out[at + 6] = 0;
  out.writeUInt16BE(query.edns.dnssecOk ? 0x8000 : 0, at + 7);
  out.writeUInt16BE(0, at + 9);
  return at + OPT_BYTES;
}
