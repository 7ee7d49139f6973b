import type { AbuseLimits } from '../http2/abuse.ts';
import type { LocalSettings } from '../http2/settings.ts';
import { CLIENT_PREFACE, frame, frameLines, FrameFlag, FrameType, literalBlock } from './wire.ts';
import { Endpoint } from './pair.ts';

export const REQUEST = [':method', 'GET', ':scheme', 'http', ':path', '/', ':authority', 'a'];
export const UPLOAD = [':method', 'POST', ':scheme', 'http', ':path', '/', ':authority', 'a'];
export const TUNNEL = [':method', 'CONNECT', ':authority', '10.0.0.1:80'];

/** A peer that sends whatever bytes a test likes to one connection, and reads the frames that come back. */
export class RawPeer extends Endpoint {
  /** The connection's clock, moved by hand. */
  readonly clock: { now: number };

  constructor(
    role: 'client' | 'server',
    settings: Partial<LocalSettings> = {},
    limits: Partial<AbuseLimits> = {},
  ) {
    const clock = { now: 0 };
    super(role, settings, limits, () => clock.now);
    this.clock = clock;
  }

  /** A connection whose peer has sent its preface, empty SETTINGS and acknowledgement. */
  static ready(
    role: 'client' | 'server',
    settings: Partial<LocalSettings> = {},
    limits: Partial<AbuseLimits> = {},
  ): RawPeer {
    const peer = new RawPeer(role, settings, limits);
    if (role === 'server') peer.feed(CLIENT_PREFACE);
    peer.feed(frame(FrameType.SETTINGS, 0, 0), frame(FrameType.SETTINGS, FrameFlag.ACK, 0));
    peer.frames();
    peer.log.take();
    return peer;
  }

  /** Hands bytes to the connection in one piece. */
  feed(...parts: Uint8Array[]): this {
    const bytes = Buffer.concat(parts);
    this.connection.receive(bytes, 0, bytes.length);
    return this;
  }

  /** Frames that the connection has sent since the last call. */
  frames(): string[] {
    return frameLines(this.output());
  }

  /** Reads what the connection has sent, without a look. */
  discardOutput(): void {
    this.output();
  }

  /** Events since the last call. */
  events(): string[] {
    return this.log.take();
  }
}

/** HEADERS with literal fields, END_HEADERS set. */
export function headers(streamId: number, fields: string[], endStream = false, flags = 0): Buffer {
  const end = endStream ? FrameFlag.END_STREAM : 0;
  return frame(FrameType.HEADERS, FrameFlag.END_HEADERS | end | flags, streamId, literalBlock(...fields));
}

export function data(streamId: number, text: string, endStream = false): Buffer {
  return frame(FrameType.DATA, endStream ? FrameFlag.END_STREAM : 0, streamId, text);
}
