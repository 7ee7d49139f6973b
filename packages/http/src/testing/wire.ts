import type { Http2Connection } from '../http2/connection.ts';
import { errorCodeName } from '../http2/errors.ts';
import {
  CLIENT_PREFACE,
  FrameFlag,
  FrameType,
  readUint31,
  readUint32,
  writeFrameHeader,
} from '../http2/frame.ts';

export { CLIENT_PREFACE, FrameFlag, FrameType };

/** A frame as bytes; `length` may lie about the payload. */
export function frame(
  type: number,
  flags: number,
  streamId: number,
  payload: Uint8Array | readonly number[] | string = [],
  length?: number,
): Buffer {
  const body = typeof payload === 'string' ? Buffer.from(payload, 'latin1') : Buffer.from(payload);
  const header = new Uint8Array(9);
  writeFrameHeader(header, 0, length ?? body.length, type, flags, streamId);
  return Buffer.concat([header, body]);
}

export function uint32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32BE(value >>> 0);
  return bytes;
}

export function setting(id: number, value: number): Buffer {
  return Buffer.concat([Buffer.from([id >>> 8, id & 255]), uint32(value)]);
}

/** A header block made of literals without indexing, so that any bytes can be sent. */
export function literalBlock(...fields: string[]): Buffer {
  const parts: Buffer[] = [];
  for (let i = 0; i + 1 < fields.length; i += 2) {
    parts.push(Buffer.from([0]), literal(fields[i]!), literal(fields[i + 1]!));
  }
  return Buffer.concat(parts);
}

function literal(text: string): Buffer {
  const bytes = Buffer.from(text, 'latin1');
  if (bytes.length < 127) return Buffer.concat([Buffer.from([bytes.length]), bytes]);
  const length: number[] = [127];
  let rest = bytes.length - 127;
  while (rest >= 128) {
    length.push((rest & 127) | 128);
    rest >>>= 7;
  }
  return Buffer.concat([Buffer.from([...length, rest]), bytes]);
}

/** Everything that the connection has to send. */
export function drain<T>(connection: Http2Connection<T>): Buffer {
  const bytes = Buffer.alloc(connection.outputLength);
  let at = 0;
  while (at < bytes.length) at += connection.takeOutput(bytes, at);
  return bytes;
}

const TYPE_NAMES = [
  'DATA',
  'HEADERS',
  'PRIORITY',
  'RST_STREAM',
  'SETTINGS',
  'PUSH_PROMISE',
  'PING',
  'GOAWAY',
  'WINDOW_UPDATE',
  'CONTINUATION',
];

/** Whole frames as lines, e.g. `RST_STREAM 1 CANCEL`, `WINDOW_UPDATE 0 +100`, `SETTINGS ack`. */
export function frameLines(bytes: Buffer): string[] {
  const lines: string[] = [];
  let at = bytes.subarray(0, 24).equals(CLIENT_PREFACE) ? 24 : 0;
  while (at < bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    const type = bytes[at + 3]!;
    const flags = bytes[at + 4]!;
    const streamId = readUint31(bytes, at + 5);
    const payload = bytes.subarray(at + 9, at + 9 + length);
    at += 9 + length;
    lines.push(`${TYPE_NAMES[type]} ${describe(type, flags, streamId, payload)}`.trim());
  }
  return lines;
}

function describe(type: number, flags: number, streamId: number, payload: Buffer): string {
  const end = (flags & FrameFlag.END_STREAM) !== 0 ? ' end' : '';
  switch (type) {
    case FrameType.DATA:
      return `${streamId} ${payload.length}${end}`;
    case FrameType.HEADERS:
      return `${streamId}${end}`;
    case FrameType.SETTINGS:
      return flags === 0 ? '' : 'ack';
    case FrameType.PING:
      return flags === 0 ? '' : 'ack';
    case FrameType.RST_STREAM:
      return `${streamId} ${errorCodeName(readUint32(payload, 0))}`;
    case FrameType.WINDOW_UPDATE:
      return `${streamId} +${readUint31(payload, 0)}`;
    case FrameType.GOAWAY:
      return `${readUint31(payload, 0)} ${errorCodeName(readUint32(payload, 4))}`;
    default:
      return `${streamId}`;
  }
}
