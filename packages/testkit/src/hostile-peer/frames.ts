/** Frame types of HTTP/2 (RFC 9113, section 6). */
export const FrameType = {
  DATA: 0x0,
  HEADERS: 0x1,
  PRIORITY: 0x2,
  RST_STREAM: 0x3,
  SETTINGS: 0x4,
  PUSH_PROMISE: 0x5,
  PING: 0x6,
  GOAWAY: 0x7,
  WINDOW_UPDATE: 0x8,
  CONTINUATION: 0x9,
} as const;

export const END_STREAM = 0x1;
export const ACK = 0x1;
export const END_HEADERS = 0x4;

/** Identifiers of settings (section 6.5.2). */
export const Setting = {
  HEADER_TABLE_SIZE: 0x1,
  ENABLE_PUSH: 0x2,
  MAX_CONCURRENT_STREAMS: 0x3,
  INITIAL_WINDOW_SIZE: 0x4,
  MAX_FRAME_SIZE: 0x5,
  MAX_HEADER_LIST_SIZE: 0x6,
} as const;

/** Error codes by number (section 7). */
export const ERROR_CODES = [
  'NO_ERROR',
  'PROTOCOL_ERROR',
  'INTERNAL_ERROR',
  'FLOW_CONTROL_ERROR',
  'SETTINGS_TIMEOUT',
  'STREAM_CLOSED',
  'FRAME_SIZE_ERROR',
  'REFUSED_STREAM',
  'CANCEL',
  'COMPRESSION_ERROR',
  'CONNECT_ERROR',
  'ENHANCE_YOUR_CALM',
  'INADEQUATE_SECURITY',
  'HTTP_1_1_REQUIRED',
] as const;

/** Name of an error code. */
export type ErrorCodeName = (typeof ERROR_CODES)[number];

/** What a client sends first (section 3.4). */
export const CLIENT_PREFACE = Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', 'latin1');

/** A frame as bytes. `claimedLength` lets the header lie about the payload. */
export function frame(
  type: number,
  flags: number,
  stream: number,
  payload: Uint8Array | string = '',
  claimedLength?: number,
): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : payload;
  const bytes = Buffer.alloc(9 + body.length);
  bytes.writeUIntBE(claimedLength ?? body.length, 0, 3);
  bytes[3] = type;
  bytes[4] = flags;
  bytes.writeUInt32BE(stream, 5);
  bytes.set(body, 9);
  return bytes;
}

/** SETTINGS with identifiers as keys. */
export function settingsFrame(entries: Readonly<Record<number, number>> = {}): Buffer {
  const payload = Buffer.concat(
    Object.entries(entries).map(([id, value]) => {
      const entry = Buffer.alloc(6);
      entry.writeUInt16BE(Number(id), 0);
      entry.writeUInt32BE(value, 2);
      return entry;
    }),
  );
  return frame(FrameType.SETTINGS, 0, 0, payload);
}

export const SETTINGS_ACK = frame(FrameType.SETTINGS, ACK, 0);

/** HEADERS with names and values in turn, as they stand: valid or not. */
export function headersFrame(stream: number, fields: readonly string[], endStream = false): Buffer {
  return frame(FrameType.HEADERS, END_HEADERS | (endStream ? END_STREAM : 0), stream, literalBlock(fields));
}

/** A CONNECT request as HBONE has it. */
export function connectFrame(stream: number, authority: string, endStream = false): Buffer {
  return headersFrame(stream, [':method', 'CONNECT', ':authority', authority], endStream);
}

export function dataFrame(stream: number, payload: Uint8Array | string, endStream = false): Buffer {
  return frame(FrameType.DATA, endStream ? END_STREAM : 0, stream, payload);
}

export function resetFrame(stream: number, code: ErrorCodeName): Buffer {
  return frame(FrameType.RST_STREAM, 0, stream, uint32(ERROR_CODES.indexOf(code)));
}

export function windowUpdateFrame(stream: number, increment: number): Buffer {
  return frame(FrameType.WINDOW_UPDATE, 0, stream, uint32(increment));
}

export function goawayFrame(lastStream: number, code: ErrorCodeName): Buffer {
  const payload = Buffer.concat([uint32(lastStream), uint32(ERROR_CODES.indexOf(code))]);
  return frame(FrameType.GOAWAY, 0, 0, payload);
}

/** Field lines as literals without indexing and without Huffman (RFC 7541, section 6.2.2), so that any bytes can be sent. */
export function literalBlock(fields: readonly string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2)
    parts.push(Buffer.from([0]), literal(fields[i]!), literal(fields[i + 1]!));
  return Buffer.concat(parts);
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length = [127];
  let rest = bytes.length - 127;
  for (; rest >= 128; rest >>>= 7) length.push((rest & 127) | 128);
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value);
  return bytes;
}

/** One frame as it came. */
export interface ReceivedFrame {
  readonly type: number;
  readonly flags: number;
  readonly stream: number;
  readonly payload: Buffer;
}

/** Cuts a stream of bytes into frames. */
export class FrameSplitter {
  #pending: Buffer = Buffer.alloc(0);
  #skip: number;

  /** @param skip bytes ahead of the first frame: a client's preface */
  constructor(skip = 0) {
    this.#skip = skip;
  }

  /** @returns the frames that `bytes` completes */
  push(bytes: Buffer): ReceivedFrame[] {
    const skipped = Math.min(this.#skip, bytes.length);
    this.#skip -= skipped;
    let rest = Buffer.concat([this.#pending, bytes.subarray(skipped)]);
    const frames: ReceivedFrame[] = [];
    while (rest.length >= 9) {
      const end = 9 + rest.readUIntBE(0, 3);
      if (rest.length < end) break;
      const stream = rest.readUInt32BE(5) & 0x7fff_ffff;
      frames.push({ type: rest[3]!, flags: rest[4]!, stream, payload: rest.subarray(9, end) });
      rest = rest.subarray(end);
    }
    this.#pending = rest;
    return frames;
  }
}

const STATIC_STATUSES = [200, 204, 206, 304, 400, 404, 500];
const HUFFMAN_DIGITS = new Map(
  ['00000', '00001', '00010', '011001', '011010', '011011', '011100', '011101', '011110', '011111'].map(
    (bits, digit) => [bits, digit],
  ),
);

/**
 * `:status` of a response's header block, for an encoder that was told to keep no table (SETTINGS_HEADER_TABLE_SIZE 0): an
 * entry of the static table, or a literal of digits (RFC 7541, sections 5.2 and 6, appendices A and B).
 */
export function statusOf(block: Buffer): number {
  let at = 0;
  while ((block[at]! & 0xe0) === 0x20) at += 1; // changes of the table's size
  const first = block[at]!;
  if (first >= 0x88 && first <= 0x8e) return STATIC_STATUSES[first - 0x88]!;
  if ((first & 0x0f) !== 0x08 || first >= 0x80)
    throw new Error(`no :status first in ${block.toString('hex')}`);
  const length = block[at + 1]! & 0x7f;
  const value = block.subarray(at + 2, at + 2 + length);
  return (block[at + 1]! & 0x80) === 0 ? Number(value.toString('latin1')) : huffmanNumber(value);
}

function huffmanNumber(bytes: Buffer): number {
  let text = '';
  let code = '';
  for (const byte of bytes) {
    for (const bit of byte.toString(2).padStart(8, '0')) {
      code += bit;
      const digit = HUFFMAN_DIGITS.get(code);
      if (digit === undefined) continue;
      text += String(digit);
      code = '';
    }
  }
  return Number(text);
}
