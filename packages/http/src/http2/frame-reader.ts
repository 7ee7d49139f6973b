import { ByteBuffer } from '../byte-buffer.ts';
import type { Http2Reason } from './errors.ts';
import { CLIENT_PREFACE, FRAME_HEADER_BYTES, FrameFlag, FrameType, readUint31 } from './frame.ts';

/** What to do with a frame, decided from its header. */
export const FrameAction = {
  /** Pass its payload over. */
  skip: 0,
  /** Hand its payload over whole; for frames that are small by their type. */
  gather: 1,
  /** Hand its payload over as it comes, without padding; for DATA. */
  stream: 2,
} as const;

/** Takes the frames that a {@link FrameReader} finds. */
export interface FrameSink {
  /** Once true, the reader stops. */
  readonly closed: boolean;
  /** A frame header was read. Returns a `FrameAction`. */
  frameStart(type: number, flags: number, length: number, streamId: number): number;
  /** The whole payload of a gathered frame is `bytes[start..end)`. */
  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void;
  /** A streamed frame is found to have `length` bytes of data, and `overhead` bytes that are not: its padding and the length of that. */
  dataStart(length: number, overhead: number): void;
  /** A piece of that data; `last` with its last byte, or alone when there is none. */
  data(bytes: Uint8Array, start: number, end: number, last: boolean): void;
  /** The bytes cannot be frames. */
  unreadable(reason: Http2Reason, detail: string): void;
}

const Phase = { preface: 0, header: 1, skip: 2, gather: 3, padLength: 4, data: 5 } as const;

/** Bytes of GOAWAY that are kept: its debug text is for logs, and may be as long as a frame. */
const MAX_GOAWAY_BYTES = 8 + 512;

const NO_BUFFER = new ByteBuffer(0);

/**
 * Cuts a byte stream, in whatever pieces it comes, into frames (RFC 9113, section 4). What lies whole in a piece is handed
 * over in place; only a frame that is cut by the end of a piece is gathered.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  #phase: number;
  #type = 0;
  #flags = 0;
  #streamId = 0;
  /** Bytes of the phase still to come. */
  #remaining = 0;
  /** Bytes to skip after the phase: padding, or the rest of a cut GOAWAY. */
  #skipAfter = 0;
  /** Start of something that a piece cut off: a frame header, or the payload of a gathered frame. */
  #partial: ByteBuffer = NO_BUFFER;
  #prefaceRead = 0;

  /** @param preface whether the peer begins with the client's preface. */
  constructor(sink: FrameSink, preface: boolean) {
    this.#sink = sink;
    this.#phase = preface ? Phase.preface : Phase.header;
  }

  /** Reads `bytes[start..end)`. */
  read(bytes: Uint8Array, start: number, end: number): void {
    let at = start;
    if (this.#phase === Phase.preface) at = this.#readPreface(bytes, at, end);
    while (at < end && !this.#sink.closed) {
      switch (this.#phase) {
        case Phase.header:
          at = this.#readHeader(bytes, at, end);
          break;
        case Phase.gather:
          at = this.#gather(bytes, at, end);
          break;
        case Phase.padLength:
          this.#readPadLength(bytes[at]!, at);
          at++;
          break;
        case Phase.data:
          at = this.#readData(bytes, at, end);
          break;
        default: {
          const count = Math.min(this.#remaining, end - at);
          at += count;
          this.#remaining -= count;
          if (this.#remaining === 0) this.#phase = Phase.header;
        }
      }
    }
  }

  #readPreface(bytes: Uint8Array, start: number, end: number): number {
    let at = start;
    while (at < end && this.#prefaceRead < CLIENT_PREFACE.length) {
      if (bytes[at] !== CLIENT_PREFACE[this.#prefaceRead]) {
        this.#sink.unreadable('not-http2', describeStart(bytes, start, end));
        return end;
      }
      at++;
      this.#prefaceRead++;
    }
    if (this.#prefaceRead === CLIENT_PREFACE.length) this.#phase = Phase.header;
    return at;
  }

  #readHeader(bytes: Uint8Array, at: number, end: number): number {
    let source = bytes;
    let from = at;
    let next: number;
    if (this.#partial.length === 0 && end - at >= FRAME_HEADER_BYTES) next = at + FRAME_HEADER_BYTES;
    else {
      if (this.#partial === NO_BUFFER) this.#partial = new ByteBuffer(FRAME_HEADER_BYTES);
      next = Math.min(end, at + FRAME_HEADER_BYTES - this.#partial.length);
      this.#partial.append(bytes, at, next);
      if (this.#partial.length < FRAME_HEADER_BYTES) return next;
      source = this.#partial.bytes;
      from = 0;
      this.#partial.length = 0;
    }
    const length = (source[from]! << 16) | (source[from + 1]! << 8) | source[from + 2]!;
    this.#type = source[from + 3]!;
    this.#flags = source[from + 4]!;
    this.#streamId = readUint31(source, from + 5);
    this.#startFrame(length, bytes, next);
    return next;
  }

  #startFrame(length: number, bytes: Uint8Array, at: number): void {
    const action = this.#sink.frameStart(this.#type, this.#flags, length, this.#streamId);
    if (this.#sink.closed) return;
    this.#remaining = length;
    this.#skipAfter = 0;
    if (action === FrameAction.stream) {
      if ((this.#flags & FrameFlag.PADDED) !== 0) this.#phase = Phase.padLength;
      else this.#startData(length, 0, 0, bytes, at);
      return;
    }
    if (action === FrameAction.skip) {
      this.#phase = length === 0 ? Phase.header : Phase.skip;
      return;
    }
    if (this.#type === FrameType.GOAWAY && length > MAX_GOAWAY_BYTES) {
      this.#remaining = MAX_GOAWAY_BYTES;
      this.#skipAfter = length - MAX_GOAWAY_BYTES;
    }
    this.#phase = Phase.gather;
    if (length === 0) this.#deliver(bytes, at, at);
  }

  #gather(bytes: Uint8Array, at: number, end: number): number {
    if (this.#partial.length === 0 && end - at >= this.#remaining) {
      const next = at + this.#remaining;
      this.#deliver(bytes, at, next);
      return next;
    }
    if (this.#partial === NO_BUFFER) this.#partial = new ByteBuffer(64);
    const next = Math.min(end, at + this.#remaining);
    this.#partial.append(bytes, at, next);
    this.#remaining -= next - at;
    if (this.#remaining > 0) return next;
    const whole = this.#partial;
    this.#partial = NO_BUFFER;
    this.#deliver(whole.bytes, 0, whole.length);
    return next;
  }

  #deliver(bytes: Uint8Array, start: number, end: number): void {
    this.#afterPayload();
    this.#sink.frame(this.#type, this.#flags, this.#streamId, bytes, start, end);
  }

  #readPadLength(padding: number, at: number): void {
    const length = this.#remaining - 1 - padding;
    if (length < 0) {
      this.#sink.unreadable('padding', `${padding} of ${this.#remaining} bytes`);
      return;
    }
    this.#startData(length, padding, padding + 1, NO_BUFFER.bytes, at);
  }

  #startData(length: number, padding: number, overhead: number, bytes: Uint8Array, at: number): void {
    this.#remaining = length;
    this.#skipAfter = padding;
    this.#phase = Phase.data;
    this.#sink.dataStart(length, overhead);
    if (length > 0 || this.#sink.closed) return;
    this.#afterPayload();
    this.#sink.data(bytes, at, at, true);
  }

  #readData(bytes: Uint8Array, at: number, end: number): number {
    const next = Math.min(end, at + this.#remaining);
    this.#remaining -= next - at;
    const last = this.#remaining === 0;
    if (last) this.#afterPayload();
    this.#sink.data(bytes, at, next, last);
    return next;
  }

  #afterPayload(): void {
    this.#remaining = this.#skipAfter;
    this.#phase = this.#skipAfter === 0 ? Phase.header : Phase.skip;
  }
}

/** Names what a peer speaks that does not speak HTTP/2, from its first bytes. */
export function describeStart(bytes: Uint8Array, start: number, end: number): string {
  if (bytes[start] === 0x16 && (end - start < 2 || bytes[start + 1] === 3))
    return 'the peer begins a TLS handshake';
  let line = '';
  for (let i = start; i < end && i < start + 64; i++) {
    const byte = bytes[i]!;
    if (byte === 13 || byte === 10) break;
    line += byte >= 32 && byte < 127 ? String.fromCharCode(byte) : '.';
  }
  if (line.startsWith('PRI * HTTP/2.0')) return 'the preface is damaged';
  return / HTTP\/1\.\d$|^HTTP\/1\.\d /.test(line)
    ? `the peer speaks HTTP/1: "${line}"`
    : `it begins "${line}"`;
}
