import { NO_NAMES } from '../hpack/encoder.ts';
import type { ConnectionCore } from './connection-core.ts';
import { Http2UsageError } from './errors.ts';
import { FrameFlag, FrameType, MAX_31_BITS, writeFrameHeader } from './frame.ts';
import type { HeaderBlock } from './header-block.ts';
import { headerValue } from './header-block.ts';
import { windowUpdateThreshold } from './receive-window.ts';

/** State of a stream, as bits of one number: a live tunnel should cost little memory. */
const State = {
  headersReceived: 1,
  headersSent: 2,
  remoteClosed: 4,
  localClosed: 8,
  closed: 16,
  /** CONNECT: a tunnel once it is answered with 2xx. */
  tunnel: 32,
  connected: 64,
  /** Found its own window shut: wants `onSendable` when it opens. */
  starved: 128,
  /** In the ring of streams that wait for the connection's window. */
  waiting: 256,
  /** A response to HEAD has no body whatever its content-length says. */
  head: 512,
} as const;

/** Content-length is not known, or does not bind. */
const UNBOUND = -1;

/**
 * One stream of a connection. Calls on a stream that is closed do nothing, so that an owner need not know of a reset
 * before it acts; only `frameData` throws then.
 */
export class Http2Stream<T> {
  readonly id: number;
  /** The owner's own. */
  context: T;

  readonly #core: ConnectionCore<T>;
  #state = 0;
  #sendWindow: number;
  #released = 0;
  #bodyLeft = UNBOUND;
  /** Bytes that the peer may still send on this stream. @internal */
  receiveWindow: number;
  /** Number of the connection window's grant in which `sentInGrant` counts. @internal */
  grant = 0;
  /** @internal */
  sentInGrant = 0;
  /** @internal */
  previousWaiting: Http2Stream<T> | undefined = undefined;
  /** @internal */
  nextWaiting: Http2Stream<T> | undefined = undefined;

  /** @internal streams are made by the connection. */
  constructor(id: number, core: ConnectionCore<T>, context: T) {
    this.id = id;
    this.context = context;
    this.#core = core;
    this.#sendWindow = core.peer.initialWindowSize;
    this.receiveWindow = core.streamWindow;
  }

  /** Whether the request (server) or the final response (client) has come. */
  get headersReceived(): boolean {
    return (this.#state & State.headersReceived) !== 0;
  }

  /** Whether the request (client) or the final response (server) was sent. */
  get headersSent(): boolean {
    return (this.#state & State.headersSent) !== 0;
  }

  /** Whether the peer has ended its half. */
  get remoteClosed(): boolean {
    return (this.#state & (State.remoteClosed | State.closed)) !== 0;
  }

  /** Whether we have ended our half. */
  get localClosed(): boolean {
    return (this.#state & (State.localClosed | State.closed)) !== 0;
  }

  /** Whether the stream is over, by both ends or by a reset. */
  get closed(): boolean {
    return (this.#state & State.closed) !== 0;
  }

  /**
   * Bytes of payload that may go into one DATA frame now: the least of both windows (and this stream's share of the
   * connection's, when others wait for it) and the peer's SETTINGS_MAX_FRAME_SIZE.
   *
   * Finding 0 books a call of `onSendable`, unless the stream cannot send at all (no headers sent yet, or ended).
   */
  get sendable(): number {
    if ((this.#state & (State.headersSent | State.localClosed | State.closed)) !== State.headersSent)
      return 0;
    if (this.#sendWindow <= 0) {
      this.#state |= State.starved;
      return 0;
    }
    const core = this.#core;
    const allowance = core.sendWindow.allowance(this);
    if (allowance === 0) {
      core.awaitWindow(this);
      return 0;
    }
    return Math.min(this.#sendWindow, allowance, core.peer.maxFrameSize);
  }

  /**
   * Server: queues the response, final or interim (1xx, any number before the final one).
   *
   * `:status` must come first, names must be lower case. An intermediary names in `neverIndex` the fields that it got
   * never-indexed (`Http2Connection.neverIndexed`). Throws {@link Http2UsageError} when the final response was sent
   * already, and HeaderEncodingError for a field that cannot be sent.
   */
  sendHeaders(headers: HeaderBlock, endStream: boolean, neverIndex: readonly string[] = NO_NAMES): void {
    if (this.localClosed || this.#core.closed) return;
    if (this.headersSent)
      throw new Http2UsageError('the final headers of this stream were sent: use sendTrailers');
    const status = headers[0] === ':status' ? headers[1]! : '';
    if (status.length !== 3) throw new Http2UsageError('a response begins with :status and three digits');
    const interim = status.charCodeAt(0) === 49;
    if (interim && endStream) throw new Http2UsageError('an interim response cannot end the stream');
    this.#core.writeHeaders(this.id, headers, endStream, neverIndex);
    if (interim) return;
    this.#state |= State.headersSent;
    if ((this.#state & State.tunnel) !== 0 && status.charCodeAt(0) === 50) this.#state |= State.connected;
    if (endStream) this.#closeLocal();
  }

  /** Queues trailers, and with them the end of our half. */
  sendTrailers(headers: HeaderBlock, neverIndex: readonly string[] = NO_NAMES): void {
    if (this.localClosed || this.#core.closed) return;
    if (!this.headersSent) throw new Http2UsageError('trailers come after the headers');
    this.#core.writeHeaders(this.id, headers, true, neverIndex);
    this.#closeLocal();
  }

  /**
   * Writes the frame header of a DATA frame to `target[at..at + 9)`, for `length` bytes of payload that the caller has put,
   * or will put, right behind it; and takes them off both windows. The payload is not touched.
   *
   * The connection's output must be drained first (`takeOutput`), so that frames keep their order, and `length` must not
   * exceed `sendable`: else {@link Http2UsageError}. With `endStream` our half is closed by it.
   */
  frameData(target: Uint8Array, at: number, length: number, endStream: boolean): void {
    const core = this.#core;
    if ((this.#state & (State.headersSent | State.localClosed | State.closed)) !== State.headersSent)
      throw new Http2UsageError('this stream cannot send data: its headers are not sent, or it has ended');
    if (core.output.length > 0)
      throw new Http2UsageError('takeOutput must be drained before a DATA frame is appended');
    if (
      length > 0 &&
      (length > this.#sendWindow || length > core.sendWindow.available || length > core.peer.maxFrameSize)
    )
      throw new Http2UsageError(`a DATA frame of ${length} bytes exceeds what is sendable`);
    writeFrameHeader(target, at, length, FrameType.DATA, endStream ? FrameFlag.END_STREAM : 0, this.id);
    this.#sendWindow -= length;
    core.sendWindow.take(this, length);
    core.guard.dataSent(length);
    if (endStream) this.#closeLocal();
  }

  /** Ends our half by an empty DATA frame through the control queue; it needs no window. */
  end(): void {
    if (this.localClosed || this.#core.closed) return;
    if (!this.headersSent) throw new Http2UsageError('a stream ends after its headers, or by reset');
    this.#core.output.endStream(this.id);
    this.#closeLocal();
  }

  /** Queues RST_STREAM and closes the stream: `onStreamClosed` is called, `onReset` is not. */
  reset(errorCode: number): void {
    if (this.closed || this.#core.closed) return;
    this.#core.output.resetStream(this.id, errorCode);
    this.#core.closedStreams.addReset(this.id);
    this.#core.finish(this);
  }

  /**
   * The owner has consumed `bytes` of this stream: the peer may send as many more. WINDOW_UPDATE is sent when a quarter of
   * the window is due.
   */
  releaseWindow(bytes: number): void {
    if (this.remoteClosed || this.#core.closed) return;
    const core = this.#core;
    this.#released += bytes;
    if (this.receiveWindow + this.#released > core.streamWindow)
      throw new Http2UsageError('more bytes were released on the stream than had come');
    if (this.#released < windowUpdateThreshold(core.streamWindow)) return;
    this.receiveWindow += this.#released;
    core.output.windowUpdate(this.id, this.#released);
    this.#released = 0;
  }

  #closeLocal(): void {
    this.#state |= State.localClosed;
    this.#core.sendWindow.leave(this);
    if ((this.#state & State.remoteClosed) !== 0) this.#core.finish(this);
  }

  // What follows is for the connection only.

  /** @internal */
  get waiting(): boolean {
    return (this.#state & State.waiting) !== 0;
  }

  /** @internal */
  set waiting(waiting: boolean) {
    this.#state = waiting ? this.#state | State.waiting : this.#state & ~State.waiting;
  }

  /** Whether this is a CONNECT answered with 2xx: only DATA may follow. @internal */
  get connected(): boolean {
    return (this.#state & State.connected) !== 0;
  }

  /** Whether content-length of the response does not bind: the request was HEAD or CONNECT. @internal */
  get bodiless(): boolean {
    return (this.#state & State.head) !== 0;
  }

  /** Client: the request was sent. @internal */
  markRequestSent(headers: HeaderBlock, endStream: boolean): void {
    this.#state |= State.headersSent | (endStream ? State.localClosed : 0);
    const method = headerValue(headers, ':method');
    if (method === 'HEAD') this.#state |= State.head;
    if (method === 'CONNECT' && headerValue(headers, ':protocol') === undefined) this.#state |= State.tunnel;
  }

  /** Server: a valid request came. @internal */
  markRequest(tunnel: boolean, contentLength: number): void {
    this.#state |= State.headersReceived | (tunnel ? State.tunnel : 0);
    this.#bodyLeft = tunnel ? UNBOUND : contentLength;
  }

  /** Client: a valid final response came. @internal */
  markResponse(status: number, contentLength: number): void {
    this.#state |= State.headersReceived;
    if ((this.#state & State.tunnel) !== 0 && status >= 200 && status < 300) this.#state |= State.connected;
    const binds = !this.bodiless && !this.connected && status !== 204 && status !== 304;
    this.#bodyLeft = binds ? contentLength : UNBOUND;
  }

  /** The peer ends its half with `length` more bytes (or none): false when content-length says otherwise. @internal */
  expectBody(length: number, last: boolean): boolean {
    if (this.#bodyLeft === UNBOUND) return true;
    this.#bodyLeft -= length;
    if (this.#bodyLeft < 0) {
      this.#bodyLeft = 0;
      return false;
    }
    return !last || this.#bodyLeft === 0;
  }

  /** @internal */
  markRemoteClosed(): void {
    this.#state |= State.remoteClosed;
  }

  /** Closes the stream if our half had ended before, after the owner was told of the other. @internal */
  settleRemoteClosed(): void {
    if ((this.#state & State.localClosed) !== 0) this.#core.finish(this);
  }

  /** False when it was closed already. @internal */
  markClosed(): boolean {
    if (this.closed) return false;
    this.#state |= State.closed;
    return true;
  }

  /** Adds to the peer's window, or takes from it; false when it passes 2^31-1. @internal */
  growSendWindow(bytes: number): boolean {
    if (this.#sendWindow + bytes > MAX_31_BITS) return false;
    this.#sendWindow += bytes;
    return true;
  }

  /** Whether the stream had found its window shut and it is open now; true once. @internal */
  takeStarved(): boolean {
    if ((this.#state & State.starved) === 0 || this.#sendWindow <= 0 || this.localClosed) return false;
    this.#state &= ~State.starved;
    return true;
  }
}
