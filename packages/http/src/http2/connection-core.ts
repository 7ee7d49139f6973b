import { ByteBuffer } from '../byte-buffer.ts';
import { HpackEncoder } from '../hpack/encoder.ts';
import type { AbuseLimits } from './abuse.ts';
import { AbuseGuard } from './abuse.ts';
import { ClosedStreams } from './closed-streams.ts';
import { ControlQueue } from './control-queue.ts';
import type { Http2Reason } from './errors.ts';
import { ErrorCode, HTTP2_REASONS, Http2Error } from './errors.ts';
import { DEFAULT_WINDOW, MAX_31_BITS } from './frame.ts';
import type { Http2Handler } from './handler.ts';
import type { HeaderBlock } from './header-block.ts';
import { ReceiveWindow } from './receive-window.ts';
import { SendWindow } from './send-window.ts';
import type { LocalSettings, Role } from './settings.ts';
import { PeerSettings } from './settings.ts';
import type { Http2Stream } from './stream.ts';

/** Two halves of the payload of the PING that asks whether a grant of the connection's window is coming. */
const PROBE_HIGH = 0x77_69_6e_64;
const PROBE_LOW = 0x6f_77_3f_00;

/** Header blocks are encoded here, one at a time per thread. */
const block = new ByteBuffer(4096);

const MAX_DEBUG_TEXT = 160;

/** What the parts of one connection share: its streams, windows, settings and output. Internal to this package. */
export class ConnectionCore<T> {
  readonly role: Role;
  readonly settings: LocalSettings;
  readonly handler: Http2Handler<T>;
  readonly guard: AbuseGuard;
  readonly output = new ControlQueue();
  readonly peer = new PeerSettings();
  readonly sendWindow = new SendWindow<T>(DEFAULT_WINDOW);
  readonly receiveWindow: ReceiveWindow;
  readonly streams = new Map<number, Http2Stream<T>>();
  readonly closedStreams = new ClosedStreams();
  readonly #encoder: HpackEncoder;
  /** Receive window of each stream: ours, but not below the protocol's default until the peer knows ours. */
  streamWindow: number;
  /** No frame is taken or made any more. */
  closed = false;
  /** Highest id of a stream that the peer opened (server) or that we opened (client). */
  lastStreamId = 0;
  /** Streams of the peer above this are ignored: it was told so by GOAWAY. */
  acceptUpTo = MAX_31_BITS;
  /** A stream found to be sendable is handed to the owner by this. */
  readonly #callSendable = (stream: Http2Stream<T>): void => this.handler.onSendable(stream);

  constructor(
    role: Role,
    settings: LocalSettings,
    handler: Http2Handler<T>,
    limits: AbuseLimits,
    now: () => number,
  ) {
    this.role = role;
    this.settings = settings;
    this.handler = handler;
    this.guard = new AbuseGuard(limits, now);
    this.#encoder = new HpackEncoder(settings.headerTableSize, settings.sensitiveHeaders);
    this.streamWindow = Math.max(settings.initialWindowSize, DEFAULT_WINDOW);
    const size = Math.max(settings.connectionWindowSize, DEFAULT_WINDOW);
    this.receiveWindow = new ReceiveWindow(size, size);
  }

  /** Ends the connection with GOAWAY. Does nothing when it has ended. */
  fail(reason: Http2Reason, detail = '', errorCode: number = HTTP2_REASONS[reason].code): void {
    if (this.closed) return;
    this.closed = true;
    const error = new Http2Error(reason, detail, errorCode);
    const debug = detail === '' ? reason : `${reason}: ${detail}`;
    this.output.goaway(this.lastPeerStreamId, errorCode, debug.slice(0, MAX_DEBUG_TEXT));
    this.handler.onConnectionError(error);
    this.abandonStreams(errorCode, false, reason, detail);
  }

  /** Highest stream of the peer that was or may be acted on: what GOAWAY says. A server opens none. */
  get lastPeerStreamId(): number {
    return this.role === 'server' ? Math.min(this.lastStreamId, this.acceptUpTo) : 0;
  }

  /** Tells the owner that every stream is dead, because the connection is. */
  abandonStreams(errorCode: number, remote: boolean, reason: Http2Reason, detail = ''): void {
    for (const stream of this.streams.values()) this.kill(stream, errorCode, remote, reason, detail);
  }

  /** Resets a stream for a fault of the peer, which is told to the owner and counted. */
  failStream(stream: Http2Stream<T>, reason: Http2Reason, detail = ''): void {
    if (stream.closed) return;
    const errorCode = HTTP2_REASONS[reason].code;
    this.refuse(stream.id, errorCode); // may be one too many, and end the connection with all its streams
    this.kill(stream, errorCode, false, reason, detail);
  }

  /** Refuses a request that the owner does not get to see, except by `onRequestRefused`. */
  refuseRequest(streamId: number, reason: Http2Reason, detail: string): void {
    this.refuse(streamId, HTTP2_REASONS[reason].code);
    this.handler.onRequestRefused?.(streamId, reason, detail);
  }

  /** Queues RST_STREAM for a fault of the peer on a stream that the owner does not know (any more), and counts it. */
  refuse(streamId: number, errorCode: number): void {
    this.output.resetStream(streamId, errorCode);
    this.closedStreams.addReset(streamId);
    const abuse = this.guard.reset();
    if (abuse !== undefined) this.fail(abuse);
  }

  /** The stream has died of something else than the owner's reset: forgets it and says so, once. */
  kill(
    stream: Http2Stream<T>,
    errorCode: number,
    remote: boolean,
    reason: Http2Reason | undefined,
    detail = '',
  ): void {
    if (!this.#forget(stream)) return;
    this.handler.onReset(stream, errorCode, remote, reason, detail);
    this.handler.onStreamClosed(stream);
  }

  /** The stream is over: forgets it and says so, once. */
  finish(stream: Http2Stream<T>): void {
    if (this.#forget(stream)) this.handler.onStreamClosed(stream);
  }

  #forget(stream: Http2Stream<T>): boolean {
    if (!stream.markClosed()) return false;
    this.sendWindow.leave(stream);
    this.streams.delete(stream.id);
    return true;
  }

  /** Encodes and queues HEADERS. */
  writeHeaders(
    streamId: number,
    headers: HeaderBlock,
    endStream: boolean,
    neverIndex: readonly string[],
  ): void {
    block.length = 0;
    this.#encoder.encode(headers, block, neverIndex);
    this.output.headers(streamId, block.bytes, block.length, endStream, this.peer.maxFrameSize);
    this.guard.headersSent();
  }

  /** Gives back bytes of the connection's receive window. */
  releaseConnection(bytes: number): void {
    this.#grantConnection(this.receiveWindow.release(bytes));
  }

  /** Fills the connection's receive window up to another size from now on. */
  setConnectionWindow(bytes: number): void {
    this.#grantConnection(this.receiveWindow.setTarget(bytes));
  }

  #grantConnection(increment: number): void {
    if (increment > 0 && !this.closed) this.output.windowUpdate(0, increment);
  }

  /** `stream` finds the connection's window shut, or what is left of it kept for others: it is called when that changes. */
  awaitWindow(stream: Http2Stream<T>): void {
    this.sendWindow.wait(stream);
    this.#probeIfHeldBack();
  }

  /** Calls those who wait for the connection's window, as far as it goes. */
  serveWaiting(): void {
    this.sendWindow.serve(this.#callSendable);
    this.#probeIfHeldBack(); // nobody may have been called, or none of those who were may have asked for more
  }

  #probeIfHeldBack(): void {
    if (this.sendWindow.takeProbe()) this.output.ping(PROBE_HIGH, PROBE_LOW, false);
  }

  /** @returns whether an answer to a PING was one to our probe */
  takeProbeAnswer(high: number, low: number): boolean {
    if (high !== PROBE_HIGH || low !== PROBE_LOW) return false;
    if (this.sendWindow.onProbeAnswered()) this.serveWaiting();
    return true;
  }

  /** A stream's window is open again after it was found shut. */
  offer(stream: Http2Stream<T>): void {
    if (this.sendWindow.allowance(stream) === 0) this.awaitWindow(stream);
    else this.handler.onSendable(stream);
  }

  /** Takes over the peer's SETTINGS that bear on what we send; false when the connection has failed. */
  applyPeerSettings(bytes: Uint8Array, start: number, end: number): boolean {
    const oldWindow = this.peer.initialWindowSize;
    const wrong = this.peer.apply(bytes, start, end, this.role === 'client');
    if (wrong !== undefined) {
      this.fail(wrong, 'in SETTINGS');
      return false;
    }
    this.#encoder.setPeerTableLimit(this.peer.headerTableSize);
    const delta = this.peer.initialWindowSize - oldWindow;
    if (delta !== 0) {
      for (const stream of this.streams.values()) {
        if (!stream.growSendWindow(delta)) {
          this.fail('window-overflow', 'by SETTINGS_INITIAL_WINDOW_SIZE');
          return false;
        }
      }
    }
    return true;
  }

  /** Calls the streams that a larger initial window has opened. */
  offerStarved(): void {
    for (const stream of this.streams.values()) {
      if (this.closed) return;
      if (stream.takeStarved()) this.offer(stream);
    }
  }

  /** The peer has acknowledged our SETTINGS, so it keeps to our window now (RFC 9113, section 6.9.2). */
  applyLocalWindow(): void {
    const delta = this.settings.initialWindowSize - this.streamWindow;
    if (delta === 0) return;
    this.streamWindow = this.settings.initialWindowSize;
    for (const stream of this.streams.values()) stream.receiveWindow += delta;
  }

  /** The transport is gone. */
  abandon(): void {
    if (this.closed) return;
    this.closed = true;
    this.abandonStreams(ErrorCode.CANCEL, true, 'connection-closed');
  }
}
