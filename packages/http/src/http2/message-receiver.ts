import { ByteBuffer } from '../byte-buffer.ts';
import { HpackDecoder } from '../hpack/decoder.ts';
import { NO_NAMES } from '../hpack/encoder.ts';
import { FieldFault } from '../hpack/field-syntax.ts';
import type { ConnectionCore } from './connection-core.ts';
import { ErrorCode } from './errors.ts';
import { FrameFlag, readUint31 } from './frame.ts';
import type { HeaderBlock } from './header-block.ts';
import { checkedShape, checkRequest, checkResponse, checkTrailers } from './header-rules.ts';
import { Http2Stream } from './stream.ts';

const DEFAULT_TABLE_SIZE = 4096;

/** Sent by the server itself, for a request that the owner never sees. */
const TOO_LARGE_RESPONSE: HeaderBlock = [':status', '431', 'content-length', '0'];

/**
 * Turns HEADERS and CONTINUATION into requests, responses and trailers (RFC 9113, sections 4.3, 6.2, 6.10 and 8).
 *
 * Every block is decoded, whatever becomes of its stream, because the table must keep step with the peer's.
 */
export class MessageReceiver<T> {
  readonly #core: ConnectionCore<T>;
  readonly #decoder: HpackDecoder;
  /** Context of a request's stream until the owner sets its own. */
  readonly #noContext: T;
  /** Stream of the block that CONTINUATION must go on with; 0 when none is open. */
  openStreamId = 0;
  #endStream = false;
  #dependsOnSelf = false;
  #gathered: ByteBuffer | undefined;
  #continuations = 0;

  constructor(core: ConnectionCore<T>, noContext: T) {
    this.#core = core;
    this.#noContext = noContext;
    const { headerTableSize, maxHeaderListSize } = core.settings;
    // Until the peer has acknowledged a smaller table, it may use the default one.
    this.#decoder = new HpackDecoder(Math.max(headerTableSize, DEFAULT_TABLE_SIZE), maxHeaderListSize);
  }

  /** Names of the fields of the last header section that its sender marked never-indexed. */
  get neverIndexed(): readonly string[] {
    return this.#decoder.neverIndexed;
  }

  /** The peer has acknowledged our SETTINGS. */
  settingsAcknowledged(): void {
    this.#decoder.setTableLimit(this.#core.settings.headerTableSize);
  }

  /** The payload of a HEADERS frame. */
  headers(streamId: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    const core = this.#core;
    if ((flags & FrameFlag.PADDED) !== 0) {
      const padding = start < end ? bytes[start]! : 0;
      start++;
      end -= padding;
    }
    this.#dependsOnSelf = false;
    if ((flags & FrameFlag.PRIORITY) !== 0) {
      if (end - start >= 5) this.#dependsOnSelf = readUint31(bytes, start) === streamId;
      start += 5;
    }
    if (start > end) {
      // Without padding it is the priority that has no room.
      if ((flags & FrameFlag.PADDED) !== 0) core.fail('padding', 'HEADERS');
      else core.fail('frame-size', 'HEADERS');
      return;
    }
    this.#endStream = (flags & FrameFlag.END_STREAM) !== 0;
    if ((flags & FrameFlag.END_HEADERS) !== 0) {
      this.#complete(streamId, bytes, start, end);
      return;
    }
    this.openStreamId = streamId;
    this.#continuations = 0;
    this.#gathered = new ByteBuffer(2 * (end - start));
    this.#gather(bytes, start, end);
  }

  /** The payload of a CONTINUATION frame of the open block. */
  continuation(streamId: number, flags: number, bytes: Uint8Array, start: number, end: number): void {
    if (++this.#continuations > this.#core.guard.limits.maxContinuations) {
      this.#core.fail('continuation-flood', `${this.#continuations} frames`);
      return;
    }
    const ends = (flags & FrameFlag.END_HEADERS) !== 0;
    this.#gather(bytes, start, end, ends);
    if (!ends || this.#core.closed) return;
    const gathered = this.#gathered!;
    this.openStreamId = 0;
    this.#gathered = undefined;
    this.#complete(streamId, gathered.bytes, 0, gathered.length);
  }

  /** Whether a block may grow by a frame of `length` bytes; ends the connection if not, before it has come. */
  admits(length: number): boolean {
    const total = length + (this.openStreamId === 0 ? 0 : this.#gathered!.length);
    if (total <= this.#core.guard.limits.maxHeaderBlockBytes) return true;
    this.#core.fail('header-list-too-large', `a block of ${total} bytes or more`);
    return false;
  }

  #gather(bytes: Uint8Array, start: number, end: number, last = false): void {
    this.#gathered!.append(bytes, start, end);
    if (start < end || last) return;
    const abuse = this.#core.guard.emptyFrame();
    if (abuse !== undefined) this.#core.fail(abuse);
  }

  #complete(streamId: number, bytes: Uint8Array, start: number, end: number): void {
    const headers = this.#decoder.decode(bytes, start, end);
    if (headers === undefined) {
      this.#core.fail('compression', this.#decoder.error);
      return;
    }
    const stream = this.#core.streams.get(streamId);
    if (stream !== undefined) this.#onOpenStream(stream, headers);
    else if (this.#core.role === 'server' && streamId > this.#core.lastStreamId)
      this.#onNewStream(streamId, headers);
    else this.#onClosedStream(streamId);
  }

  #onNewStream(streamId: number, headers: HeaderBlock): void {
    const core = this.#core;
    if (streamId > core.lastStreamId + 2) core.closedStreams.addGap(core.lastStreamId + 1, streamId - 1);
    core.lastStreamId = streamId;
    if (streamId > core.acceptUpTo) {
      core.closedStreams.addReset(streamId);
      this.#ignore();
      return;
    }
    core.guard.streamOpened();
    const endStream = this.#endStream;
    if (core.streams.size >= core.settings.maxConcurrentStreams) {
      core.refuseRequest(streamId, 'stream-refused', `${core.streams.size} are open`);
      return;
    }
    if (this.#decoder.oversize) {
      this.#refuseTooLarge(streamId);
      return;
    }
    if (this.#dependsOnSelf) {
      core.refuseRequest(streamId, 'self-dependency', '');
      return;
    }
    const wrong = this.#fieldFault || checkRequest(headers, core.settings.enableConnectProtocol === true);
    if (wrong !== '') {
      core.refuseRequest(streamId, 'malformed-message', wrong);
      return;
    }
    if (endStream && !checkedShape.tunnel && checkedShape.contentLength > 0) {
      core.refuseRequest(streamId, 'content-length', `no body of ${checkedShape.contentLength} bytes`);
      return;
    }
    const stream = new Http2Stream<T>(streamId, core, this.#noContext);
    core.streams.set(streamId, stream);
    stream.markRequest(checkedShape.tunnel, checkedShape.contentLength);
    if (endStream) stream.markRemoteClosed();
    core.handler.onHeaders(stream, headers, endStream);
    if (endStream) stream.settleRemoteClosed();
  }

  #refuseTooLarge(streamId: number): void {
    const core = this.#core;
    core.writeHeaders(streamId, TOO_LARGE_RESPONSE, true, NO_NAMES);
    // The rest of the request is of no interest; NO_ERROR leaves the answer valid (RFC 9113, section 8.1).
    if (!this.#endStream) core.refuse(streamId, ErrorCode.NO_ERROR);
    const limit = core.settings.maxHeaderListSize;
    core.handler.onRequestRefused?.(streamId, 'header-list-too-large', `more than ${limit} bytes`);
  }

  /** What is wrong with a field of the last block, whatever its place in a message; '' when nothing is. */
  get #fieldFault(): string {
    switch (this.#decoder.fault) {
      case FieldFault.none:
        return '';
      case FieldFault.name:
        return 'a field name is not a lower-case token';
      default:
        return 'a field value holds a forbidden character';
    }
  }

  #onOpenStream(stream: Http2Stream<T>, headers: HeaderBlock): void {
    const core = this.#core;
    if (stream.remoteClosed) core.failStream(stream, 'stream-state');
    else if (this.#dependsOnSelf) core.failStream(stream, 'self-dependency');
    else if (this.#decoder.oversize) core.failStream(stream, 'header-list-too-large');
    else if (this.#decoder.fault !== FieldFault.none)
      core.failStream(stream, 'malformed-message', this.#fieldFault);
    else if (stream.headersReceived) this.#onTrailers(stream, headers);
    else this.#onResponse(stream, headers);
  }

  #onTrailers(stream: Http2Stream<T>, headers: HeaderBlock): void {
    const core = this.#core;
    let wrong = checkTrailers(headers);
    if (!this.#endStream) wrong = 'trailers do not end the stream';
    else if (stream.connected) wrong = 'trailers in a tunnel';
    if (wrong !== '') {
      core.failStream(stream, 'malformed-message', wrong);
      return;
    }
    if (!stream.expectBody(0, true)) {
      core.failStream(stream, 'content-length', 'the body is too short');
      return;
    }
    stream.markRemoteClosed();
    core.handler.onTrailers(stream, headers);
    stream.settleRemoteClosed();
  }

  #onResponse(stream: Http2Stream<T>, headers: HeaderBlock): void {
    const core = this.#core;
    const endStream = this.#endStream;
    let wrong = checkResponse(headers);
    if (wrong === '' && checkedShape.status < 200 && endStream) wrong = 'an interim response ends the stream';
    if (wrong !== '') {
      core.failStream(stream, 'malformed-message', wrong);
      return;
    }
    if (checkedShape.status >= 200) stream.markResponse(checkedShape.status, checkedShape.contentLength);
    if (endStream) {
      if (!stream.expectBody(0, true)) {
        core.failStream(stream, 'content-length', 'the body is too short');
        return;
      }
      stream.markRemoteClosed();
    }
    core.handler.onHeaders(stream, headers, endStream);
    if (endStream) stream.settleRemoteClosed();
  }

  #onClosedStream(streamId: number): void {
    const { closedStreams } = this.#core;
    // It was on its way before our RST_STREAM arrived.
    if (closedStreams.wasReset(streamId)) this.#ignore();
    else if (closedStreams.wasPassedOver(streamId))
      this.#core.fail('stream-id', `stream ${streamId} after ${this.#core.lastStreamId}`);
    else if (closedStreams.forgotten) this.#core.refuse(streamId, ErrorCode.STREAM_CLOSED);
    else this.#core.fail('stream-state', `HEADERS on stream ${streamId}`);
  }

  /** A block for nobody costs its decoding all the same, so it is counted. */
  #ignore(): void {
    const abuse = this.#core.guard.reset();
    if (abuse !== undefined) this.#core.fail(abuse);
  }
}
