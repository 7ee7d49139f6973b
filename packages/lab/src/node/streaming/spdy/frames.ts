/*
 * Frames of SPDY/3.1 (SPDY draft 3.1, section 2.2), as kubectl and other Go clients speak them: bytes in, frames out, without
 * I/O. Header blocks stay compressed here.
 */

const frameType = {
  synStream: 1,
  synReply: 2,
  rstStream: 3,
  settings: 4,
  ping: 6,
  goAway: 7,
  headers: 8,
  windowUpdate: 9,
} as const;

/** Status codes of RST_STREAM (section 2.6.3). */
export const resetStatus = {
  protocolError: 1,
  invalidStream: 2,
  refusedStream: 3,
  cancel: 5,
  internalError: 6,
  streamAlreadyClosed: 9,
} as const;

export type SpdyFrame =
  /** A data frame, or a part of one: it is handed on as it comes. `fin` is only on the last part. */
  | { readonly kind: 'data'; readonly streamId: number; readonly bytes: Buffer; readonly fin: boolean }
  | {
      readonly kind: 'syn-stream';
      readonly streamId: number;
      readonly fin: boolean;
      readonly unidirectional: boolean;
      readonly headerBlock: Buffer;
    }
  | {
      readonly kind: 'syn-reply';
      readonly streamId: number;
      readonly fin: boolean;
      readonly headerBlock: Buffer;
    }
  | {
      readonly kind: 'headers';
      readonly streamId: number;
      readonly fin: boolean;
      readonly headerBlock: Buffer;
    }
  | { readonly kind: 'rst-stream'; readonly streamId: number; readonly status: number }
  | { readonly kind: 'ping'; readonly id: number }
  | { readonly kind: 'go-away'; readonly lastStreamId: number; readonly status: number }
  | { readonly kind: 'window-update'; readonly streamId: number; readonly delta: number }
  /** SETTINGS, and types that are not known: nothing follows from them. */
  | { readonly kind: 'ignored'; readonly type: number };

/** The peer broke the protocol, or a limit of this server; its connection is closed. */
export class SpdyProtocolError extends Error {
  readonly code = 'SPDY_PROTOCOL';
  constructor(message: string, options?: ErrorOptions) {
    super(`SPDY: ${message}; the connection is closed, try a client of Kubernetes 1.20 or later`, options);
    this.name = 'SpdyProtocolError';
  }
}

const headBytes = 8;
/** Of a control frame behind its head. A Go client's header blocks have some hundred bytes. */
const maxControlBytes = 64 * 1024;
const idMask = 0x7fffffff;

/** Cuts what arrives into frames. */
export class FrameReader {
  #pending: Buffer = Buffer.alloc(0);
  /** What is to come of a data frame whose head has been read. */
  #data: { readonly streamId: number; readonly fin: boolean; left: number } | undefined;

  /** @throws SpdyProtocolError, after which the reader is of no use any more */
  *push(bytes: Buffer): Generator<SpdyFrame, void, undefined> {
    let rest = this.#pending.length === 0 ? bytes : Buffer.concat([this.#pending, bytes]);
    for (;;) {
      if (this.#data !== undefined) {
        const { streamId, fin } = this.#data;
        if (rest.length === 0 && this.#data.left > 0) break;
        const part = rest.subarray(0, this.#data.left);
        rest = rest.subarray(part.length);
        this.#data.left -= part.length;
        const last = this.#data.left === 0;
        if (last) this.#data = undefined;
        yield { kind: 'data', streamId, bytes: part, fin: fin && last };
        continue;
      }
      if (rest.length < headBytes) break;
      const word = rest.readUInt32BE(0);
      const flags = rest[4]!;
      const length = rest.readUIntBE(5, 3);
      if (word >>> 31 === 0) {
        if (word === 0) throw new SpdyProtocolError('a data frame for stream 0');
        this.#data = { streamId: word, fin: (flags & 1) !== 0, left: length };
        rest = rest.subarray(headBytes);
        continue;
      }
      const version = (word >>> 16) & 0x7fff;
      if (version !== 3) throw new SpdyProtocolError(`a control frame of version ${version}, not 3`);
      if (length > maxControlBytes)
        throw new SpdyProtocolError(
          `a control frame of ${length} bytes, more than the ${maxControlBytes} allowed`,
        );
      if (rest.length < headBytes + length) break;
      const payload = rest.subarray(headBytes, headBytes + length);
      rest = rest.subarray(headBytes + length);
      yield readControl(word & 0xffff, flags, payload);
    }
    // Copied, so that a few bytes do not hold on to the whole chunk.
    this.#pending = rest.length === 0 ? Buffer.alloc(0) : Buffer.from(rest);
  }
}

function readControl(type: number, flags: number, payload: Buffer): SpdyFrame {
  const need = (bytes: number): void => {
    if (payload.length < bytes)
      throw new SpdyProtocolError(`a control frame of type ${type} with ${payload.length} bytes, too short`);
  };
  const fin = (flags & 1) !== 0;
  switch (type) {
    case frameType.synStream:
      need(10);
      return {
        kind: 'syn-stream',
        streamId: payload.readUInt32BE(0) & idMask,
        fin,
        unidirectional: (flags & 2) !== 0,
        headerBlock: payload.subarray(10),
      };
    case frameType.synReply:
    case frameType.headers:
      need(4);
      return {
        kind: type === frameType.synReply ? 'syn-reply' : 'headers',
        streamId: payload.readUInt32BE(0) & idMask,
        fin,
        headerBlock: payload.subarray(4),
      };
    case frameType.rstStream:
      need(8);
      return {
        kind: 'rst-stream',
        streamId: payload.readUInt32BE(0) & idMask,
        status: payload.readUInt32BE(4),
      };
    case frameType.ping:
      need(4);
      return { kind: 'ping', id: payload.readUInt32BE(0) };
    case frameType.goAway:
      need(8);
      return {
        kind: 'go-away',
        lastStreamId: payload.readUInt32BE(0) & idMask,
        status: payload.readUInt32BE(4),
      };
    case frameType.windowUpdate:
      need(8);
      return {
        kind: 'window-update',
        streamId: payload.readUInt32BE(0) & idMask,
        delta: payload.readUInt32BE(4) & idMask,
      };
    default:
      return { kind: 'ignored', type };
  }
}

function control(type: number, flags: number, payload: Buffer): Buffer {
  const frame = Buffer.alloc(headBytes + payload.length);
  frame.writeUInt32BE(0x80030000 + type, 0);
  frame[4] = flags;
  frame.writeUIntBE(payload.length, 5, 3);
  payload.copy(frame, headBytes);
  return frame;
}

function words(...values: readonly number[]): Buffer {
  const bytes = Buffer.alloc(values.length * 4);
  values.forEach((value, index) => bytes.writeUInt32BE(value >>> 0, index * 4));
  return bytes;
}

/** Head of a data frame of `length` bytes, at most 2^24 - 1. */
export function dataHead(streamId: number, length: number, fin: boolean): Buffer {
  const head = words(streamId, length);
  head[4] = fin ? 1 : 0;
  return head;
}

/** For clients: tests are some. */
export function synStream(streamId: number, headerBlock: Buffer, fin = false): Buffer {
  const head = Buffer.concat([words(streamId, 0), Buffer.alloc(2)]);
  return control(frameType.synStream, fin ? 1 : 0, Buffer.concat([head, headerBlock]));
}

export function synReply(streamId: number, headerBlock: Buffer): Buffer {
  return control(frameType.synReply, 0, Buffer.concat([words(streamId), headerBlock]));
}

export function rstStream(streamId: number, status: number): Buffer {
  return control(frameType.rstStream, 0, words(streamId, status));
}

export function ping(id: number): Buffer {
  return control(frameType.ping, 0, words(id));
}

/** @param status 0 all is well, 1 protocol error, 2 internal error */
export function goAway(lastStreamId: number, status: number): Buffer {
  return control(frameType.goAway, 0, words(lastStreamId, status));
}

export function windowUpdate(streamId: number, delta: number): Buffer {
  return control(frameType.windowUpdate, 0, words(streamId, delta));
}
