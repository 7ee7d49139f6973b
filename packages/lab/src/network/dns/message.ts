// Queries and responses as bytes. Pure.
import {
  AUTHORITATIVE_ANSWER,
  decode,
  encode,
  encodingLength,
  RECURSION_AVAILABLE,
  RECURSION_DESIRED,
  TRUNCATED_RESPONSE,
} from 'dns-packet';
import type { Answer, DecodedPacket, OptAnswer, Question } from 'dns-packet';

import { responseCodes } from './answer.ts';
import type { ResponseCode, ZoneAnswer } from './answer.ts';

/** What a client without EDNS takes by UDP, bytes (RFC 1035 section 2.3.4). */
const plainLimit = 512;
/** What we take and send at most by UDP: no fragments on any usual link (DNS flag day 2020). */
const largestDatagram = 1232;
const headerBytes = 12;

export interface Query {
  readonly id: number;
  readonly question: Question;
  readonly recursionDesired: boolean;
  /** Undefined for a client without EDNS. */
  readonly udpPayloadBytes: number | undefined;
}

/** What a message from a client is. */
export type Incoming =
  | { readonly kind: 'query'; readonly query: Query }
  /** To be answered with a code alone. */
  | { readonly kind: 'refused'; readonly response: Buffer }
  /** Not to be answered: an answer could be answered again, for ever. */
  | { readonly kind: 'ignored' };

export function readQuery(bytes: Buffer): Incoming {
  if (bytes.length < headerBytes || (bytes[2]! & 0x80) !== 0) return { kind: 'ignored' };
  const opcode = (bytes[2]! >> 3) & 0xf;
  if (opcode !== 0) return { kind: 'refused', response: headerOnly(bytes, responseCodes.notImplemented) };
  let packet: DecodedPacket;
  try {
    packet = decode(bytes);
  } catch {
    return { kind: 'refused', response: headerOnly(bytes, responseCodes.formatError) };
  }
  const [question, another] = packet.questions ?? [];
  if (question === undefined || another !== undefined)
    return { kind: 'refused', response: headerOnly(bytes, responseCodes.formatError) };
  if (question.class !== 'IN') return { kind: 'refused', response: headerOnly(bytes, responseCodes.refused) };
  const edns = packet.additionals?.find((record): record is OptAnswer => record.type === 'OPT');
  return {
    kind: 'query',
    query: {
      id: packet.id ?? 0,
      question,
      recursionDesired: packet.flag_rd,
      udpPayloadBytes: edns?.udpPayloadSize,
    },
  };
}

/** The header of a message turned into an answer without any section. */
export function headerOnly(bytes: Buffer, code: ResponseCode): Buffer {
  const response = Buffer.alloc(headerBytes);
  response.writeUInt16BE(bytes.readUInt16BE(0), 0);
  // QR, and opcode and RD as they were asked.
  response[2] = 0x80 | (bytes[2]! & 0x79);
  response[3] = code;
  return response;
}

/** Bytes that an answer to this query may have by UDP. */
export function datagramLimit({ udpPayloadBytes }: Query): number {
  return Math.min(largestDatagram, Math.max(plainLimit, udpPayloadBytes ?? plainLimit));
}

/**
 * The response as bytes. What does not fit is left out: first what was not asked for, then answers, and then it says so, for
 * the client to come back by TCP (RFC 2181 section 9).
 *
 * @param limit bytes
 */
export function writeResponse(
  query: Query,
  answer: Pick<ZoneAnswer, 'code' | 'answers' | 'authorities' | 'additionals'>,
  options: { readonly limit: number; readonly authoritative: boolean; readonly recursion: boolean },
): Buffer {
  const { question } = query;
  const opt: Answer[] = query.udpPayloadBytes === undefined ? [] : [edns];
  let left = options.limit - encodingLength({ questions: [question] }) - opt.length * optBytes;
  const take = (records: readonly Answer[]): Answer[] => {
    const taken: Answer[] = [];
    for (const record of records) {
      left -= sizeOf(record);
      if (left < 0) break;
      taken.push(record);
    }
    return taken;
  };
  const answers = take(answer.answers);
  const authorities = take(answer.authorities);
  const additionals = take(answer.additionals);
  const truncated = answers.length < answer.answers.length;
  return encode({
    type: 'response',
    id: query.id,
    flags:
      answer.code |
      (options.authoritative ? AUTHORITATIVE_ANSWER : 0) |
      (options.recursion ? RECURSION_AVAILABLE : 0) |
      (query.recursionDesired ? RECURSION_DESIRED : 0) |
      (truncated ? TRUNCATED_RESPONSE : 0),
    questions: [question],
    answers,
    authorities,
    additionals: [...additionals, ...opt],
  });
}

/** Root name, type, size, flags, no options. */
const optBytes = 11;
const edns: OptAnswer = {
  type: 'OPT',
  name: '.',
  udpPayloadSize: largestDatagram,
  extendedRcode: 0,
  ednsVersion: 0,
  flags: 0,
  flag_do: false,
  options: [],
};

function sizeOf(record: Answer): number {
  return encodingLength({ answers: [record] }) - headerBytes;
}
