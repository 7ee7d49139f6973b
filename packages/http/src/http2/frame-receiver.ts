import type { ConnectionCore } from './connection-core.ts';
import type { Http2Reason } from './errors.ts';
import { ErrorCode, HTTP2_REASONS } from './errors.ts';
import { FrameFlag, FrameType, readUint31, readUint32 } from './frame.ts';
import { describeStart, FrameAction } from './frame-reader.ts';
import type { FrameSink } from './frame-reader.ts';
import type { MessageReceiver } from './message-receiver.ts';
import { SETTING_BYTES } from './settings.ts';
import type { Http2Stream } from './stream.ts';

/** Told of what concerns the connection as a whole. */
export interface ConnectionEvents {
  /** An answer to one of our PINGs, as two halves. */
  pong(high: number, low: number): void;
  goaway(lastStreamId: number, errorCode: number, debug: string): void;
}

/**
 * Judges each frame by the state of its connection and stream (RFC 9113, sections 5 and 6), and acts on it.
 *
 * What breaks a rule ends the stream or the connection, as the RFC says; where it leaves the choice and the peer's state
 * cannot be known any more, the connection ends.
 */
export class FrameReceiver<T> implements FrameSink {
  readonly #core: ConnectionCore<T>;
  readonly #messages: MessageReceiver<T>;
  readonly #events: ConnectionEvents;
  /** Output that the peer had not read when this piece of input began. */
  #backlog = 0;
  #settingsAcknowledged = false;
  /** Stream of the DATA frame that is being read; undefined when its bytes are dropped. */
  #dataStream: Http2Stream<T> | undefined;
  #dataEnds = false;

  constructor(core: ConnectionCore<T>, messages: MessageReceiver<T>, events: ConnectionEvents) {
    this.#core = core;
    this.#messages = messages;
    this.#events = events;
  }

  get closed(): boolean {
    return this.#core.closed;
  }

  /** A piece of input begins. */
  begin(): void {
    this.#backlog = this.#core.output.length;
  }

  unreadable(reason: Http2Reason, detail: string): void {
    this.#core.fail(reason, detail);
  }

  frameStart(type: number, flags: number, length: number, streamId: number): number {
    const core = this.#core;
    if (!core.peer.received) {
      if (type !== FrameType.SETTINGS || (flags & FrameFlag.ACK) !== 0)
        return this.#fail('not-http2', describeFrameHeader(type, flags, length, streamId));
    }
    const open = this.#messages.openStreamId;
    if (open !== 0 && (type !== FrameType.CONTINUATION || streamId !== open))
      return this.#fail('frame-sequence', `type ${type} on stream ${streamId} within the headers of ${open}`);
    if (length > core.settings.maxFrameSize) return this.#fail('frame-size', `${length} bytes`);
    if (type === FrameType.DATA) return this.#startData(flags, length, streamId);
    if (this.#backlog > core.guard.limits.maxQueuedOutput && type !== FrameType.WINDOW_UPDATE)
      return this.#fail('slow-reader', `${this.#backlog} bytes wait`);
    switch (type) {
      case FrameType.HEADERS:
        return this.#startHeaders(length, streamId);
      case FrameType.CONTINUATION:
        if (open === 0) return this.#fail('frame-sequence', 'CONTINUATION without HEADERS');
        return this.#messages.admits(length) ? FrameAction.gather : FrameAction.skip;
      case FrameType.PRIORITY:
        return this.#startPriority(length, streamId);
      case FrameType.RST_STREAM:
      case FrameType.WINDOW_UPDATE:
        if (length !== 4) return this.#fail('frame-size', `type ${type} of ${length} bytes`);
        if (this.#isIdle(streamId) || (streamId === 0 && type === FrameType.RST_STREAM))
          return this.#fail('stream-id', `type ${type} on stream ${streamId}`);
        return FrameAction.gather;
      case FrameType.SETTINGS:
        return this.#startSettings(flags, length, streamId);
      case FrameType.PING:
        if (streamId !== 0) return this.#fail('stream-id', 'PING on a stream');
        return length === 8 ? FrameAction.gather : this.#fail('frame-size', `PING of ${length} bytes`);
      case FrameType.GOAWAY:
        if (streamId !== 0) return this.#fail('stream-id', 'GOAWAY on a stream');
        return length >= 8 ? FrameAction.gather : this.#fail('frame-size', `GOAWAY of ${length} bytes`);
      case FrameType.PUSH_PROMISE:
        return this.#fail('push-refused', '');
      default:
        return this.#count(core.guard.priority());
    }
  }

  frame(type: number, flags: number, streamId: number, bytes: Uint8Array, start: number, end: number): void {
    switch (type) {
      case FrameType.HEADERS:
        this.#messages.headers(streamId, flags, bytes, start, end);
        break;
      case FrameType.CONTINUATION:
        this.#messages.continuation(streamId, flags, bytes, start, end);
        break;
      case FrameType.PRIORITY:
        if (readUint31(bytes, start) === streamId) this.#failStreamId(streamId, 'self-dependency');
        break;
      case FrameType.RST_STREAM:
        this.#resetStream(streamId, readUint32(bytes, start));
        break;
      case FrameType.WINDOW_UPDATE:
        this.#windowUpdate(streamId, readUint31(bytes, start));
        break;
      case FrameType.SETTINGS:
        this.#settings(flags, bytes, start, end);
        break;
      case FrameType.PING:
        this.#ping(flags, readUint32(bytes, start), readUint32(bytes, start + 4));
        break;
      default: {
        const debug = Buffer.from(bytes.subarray(start + 8, end)).toString('latin1');
        this.#events.goaway(readUint31(bytes, start), readUint32(bytes, start + 4), debug);
      }
    }
  }

  dataStart(length: number, overhead: number): void {
    const core = this.#core;
    if (overhead > 0) core.releaseConnection(overhead);
    const stream = this.#dataStream;
    if (stream === undefined || stream.closed) return;
    if (overhead > 0) stream.releaseWindow(overhead);
    if (!stream.expectBody(length, this.#dataEnds)) {
      core.failStream(stream, 'content-length', `${length} bytes more`);
      return;
    }
    if (length > 0) core.guard.dataReceived();
    else if (!this.#dataEnds) this.#count(core.guard.emptyFrame());
  }

  data(bytes: Uint8Array, start: number, end: number, last: boolean): void {
    const stream = this.#dataStream;
    if (stream === undefined || stream.closed) {
      this.#core.releaseConnection(end - start);
      return;
    }
    const endStream = last && this.#dataEnds;
    if (!endStream) {
      if (start < end) this.#core.handler.onData(stream, bytes, start, end, false);
      return;
    }
    stream.markRemoteClosed();
    this.#core.handler.onData(stream, bytes, start, end, true);
    stream.settleRemoteClosed();
    this.#dataStream = undefined;
  }

  /** Whether the stream has never been opened, by the peer or by us. */
  #isIdle(streamId: number): boolean {
    if (streamId === 0) return false;
    // Push is off, so a server never opens a stream: even ids stay idle for good.
    return streamId > this.#core.lastStreamId || streamId % 2 === 0;
  }

  #startData(flags: number, length: number, streamId: number): number {
    const core = this.#core;
    if (streamId === 0 || this.#isIdle(streamId))
      return this.#fail('stream-id', `DATA on stream ${streamId}`);
    if (length === 0 && (flags & FrameFlag.PADDED) !== 0)
      return this.#fail('frame-size', 'DATA without its padding');
    if (!core.receiveWindow.take(length)) return this.#fail('flow-control', 'of the connection');
    this.#dataEnds = (flags & FrameFlag.END_STREAM) !== 0;
    const stream = core.streams.get(streamId);
    this.#dataStream = stream;
    if (stream === undefined) {
      if (!core.closedStreams.wasReset(streamId)) core.refuse(streamId, ErrorCode.STREAM_CLOSED);
    } else if (stream.remoteClosed) core.failStream(stream, 'stream-state');
    else if (!stream.headersReceived) core.failStream(stream, 'malformed-message', 'DATA before headers');
    else if (length > stream.receiveWindow) core.failStream(stream, 'flow-control');
    else {
      stream.receiveWindow -= length;
      return FrameAction.stream;
    }
    core.releaseConnection(length);
    return FrameAction.skip;
  }

  #startHeaders(length: number, streamId: number): number {
    const ours = this.#core.role === 'client';
    const wrong = streamId % 2 === 0 || (ours && this.#isIdle(streamId));
    if (wrong) return this.#fail('stream-id', `HEADERS on stream ${streamId}`);
    return this.#messages.admits(length) ? FrameAction.gather : FrameAction.skip;
  }

  #startPriority(length: number, streamId: number): number {
    if (streamId === 0) return this.#fail('stream-id', 'PRIORITY on stream 0');
    const action = this.#count(this.#core.guard.priority());
    if (length === 5) return this.#core.closed ? action : FrameAction.gather;
    this.#failStreamId(streamId, 'frame-size');
    return action;
  }

  #startSettings(flags: number, length: number, streamId: number): number {
    if (streamId !== 0) return this.#fail('stream-id', 'SETTINGS on a stream');
    const wrong = (flags & FrameFlag.ACK) !== 0 ? length !== 0 : length % SETTING_BYTES !== 0;
    if (wrong) return this.#fail('frame-size', `SETTINGS of ${length} bytes`);
    const { guard } = this.#core;
    if (length > guard.limits.maxSettingsEntries * SETTING_BYTES)
      return this.#fail('settings-flood', `${length / SETTING_BYTES} entries`);
    this.#count(guard.settings());
    return FrameAction.gather;
  }

  #settings(flags: number, bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core;
    if ((flags & FrameFlag.ACK) !== 0) {
      if (this.#settingsAcknowledged) return;
      this.#settingsAcknowledged = true;
      core.applyLocalWindow();
      this.#messages.settingsAcknowledged();
      return;
    }
    if (!core.applyPeerSettings(bytes, start, end)) return;
    core.output.settingsAck();
    core.handler.onRemoteSettings();
    core.offerStarved();
  }

  #ping(flags: number, high: number, low: number): void {
    this.#count(this.#core.guard.ping());
    if (this.#core.closed) return;
    if ((flags & FrameFlag.ACK) !== 0) this.#events.pong(high, low);
    else this.#core.output.ping(high, low, true);
  }

  #resetStream(streamId: number, errorCode: number): void {
    const core = this.#core;
    const stream = core.streams.get(streamId);
    if (stream === undefined) return;
    const unanswered = core.role === 'server' && !stream.headersSent;
    core.kill(stream, errorCode, true, undefined);
    if (unanswered) this.#count(core.guard.reset());
  }

  #windowUpdate(streamId: number, increment: number): void {
    const core = this.#core;
    this.#count(core.guard.windowUpdate());
    if (core.closed) return;
    if (streamId === 0) {
      if (increment === 0) core.fail('window-increment', 'of the connection');
      else if (!core.sendWindow.grow(increment)) core.fail('window-overflow', 'of the connection');
      else core.serveWaiting();
      return;
    }
    const stream = core.streams.get(streamId);
    if (stream === undefined) return;
    if (increment === 0) core.failStream(stream, 'window-increment');
    else if (!stream.growSendWindow(increment)) core.failStream(stream, 'window-overflow');
    else if (stream.takeStarved()) core.offer(stream);
  }

  /** A stream error for a frame that need not have a stream: on an idle one it ends the connection. */
  #failStreamId(streamId: number, reason: Http2Reason): void {
    const stream = this.#core.streams.get(streamId);
    if (stream !== undefined) this.#core.failStream(stream, reason);
    else if (this.#isIdle(streamId)) this.#core.fail(reason, `stream ${streamId}`);
    else this.#core.refuse(streamId, HTTP2_REASONS[reason].code); // closed already: RFC 9113, section 6.3, excepts nothing
  }

  #fail(reason: Http2Reason, detail: string): number {
    this.#core.fail(reason, detail);
    return FrameAction.skip;
  }

  #count(abuse: Http2Reason | undefined): number {
    if (abuse !== undefined) this.#core.fail(abuse);
    return FrameAction.skip;
  }
}

/** Puts a frame header together again, to see what else the bytes could have been. */
function describeFrameHeader(type: number, flags: number, length: number, streamId: number): string {
  const bytes = Uint8Array.of(
    length >>> 16,
    length >>> 8,
    length,
    type,
    flags,
    streamId >>> 24,
    streamId >>> 16,
    streamId >>> 8,
    streamId,
  );
  const isText = bytes.every((byte) => byte === 10 || byte === 13 || (byte >= 32 && byte < 127));
  return isText || bytes[0] === 0x15 || bytes[0] === 0x16
    ? describeStart(bytes, 0, bytes.length)
    : `the first frame is of type ${type}, not SETTINGS`;
}
