import { NO_NAMES } from '../hpack/encoder.ts';
import type { AbuseLimits } from './abuse.ts';
import { ConnectionCore } from './connection-core.ts';
import { ErrorCode, Http2UsageError } from './errors.ts';
import { CLIENT_PREFACE, DEFAULT_WINDOW, MAX_31_BITS } from './frame.ts';
import { FrameReader } from './frame-reader.ts';
import { FrameReceiver } from './frame-receiver.ts';
import type { Http2Handler } from './handler.ts';
import type { HeaderBlock } from './header-block.ts';
import { MessageReceiver } from './message-receiver.ts';
import type { LocalSettings, Role } from './settings.ts';
import { settingEntries } from './settings.ts';
import { Http2Stream } from './stream.ts';

/** Two halves of the payload of the PING that finds out when a peer has seen the first GOAWAY of a graceful shutdown. */
const SHUTDOWN_PING_HIGH = 0x73_68_75_74;
const SHUTDOWN_PING_LOW = 0x64_6f_77_6e;

const TWO_TO_32 = 0x1_0000_0000;

/**
 * One HTTP/2 connection (RFC 9113), either role, without I/O: bytes in by `receive`, bytes out by `takeOutput` and
 * `Http2Stream.frameData`, everything else by calls to the handler.
 *
 * `T` is what the owner hangs on each stream.
 */
export class Http2Connection<T> {
  readonly role: Role;
  readonly #core: ConnectionCore<T>;
  readonly #messages: MessageReceiver<T>;
  readonly #reader: FrameReader;
  readonly #receiver: FrameReceiver<T>;
  #nextStreamId = 1;
  #receiving = false;
  #goawaySent = false;
  #goawayReceived = false;
  #shuttingDown = false;

  /**
   * Queues the preface: SETTINGS, and the connection's window.
   *
   * @param now a clock in milliseconds that never goes back; read when frames are counted against `limits`.
   */
  constructor(
    role: Role,
    settings: LocalSettings,
    handler: Http2Handler<T>,
    limits: AbuseLimits,
    now: () => number,
  ) {
    this.role = role;
    this.#core = new ConnectionCore(role, settings, handler, limits, now);
    // A server's stream comes to the owner without a context; the owner sets it in onHeaders before anything reads it.
    this.#messages = new MessageReceiver<T>(this.#core, undefined as T);
    this.#receiver = new FrameReceiver(this.#core, this.#messages, {
      pong: (high, low) => this.#onPong(high, low),
      goaway: (lastStreamId, errorCode, debug) => this.#onGoaway(lastStreamId, errorCode, debug),
    });
    this.#reader = new FrameReader(this.#receiver, role === 'server');
    const { output, receiveWindow } = this.#core;
    if (role === 'client') output.raw(CLIENT_PREFACE, 0, CLIENT_PREFACE.length);
    output.settings(settingEntries(role, settings));
    if (receiveWindow.size > DEFAULT_WINDOW) output.windowUpdate(0, receiveWindow.size - DEFAULT_WINDOW);
  }

  /** Whether the connection has ended, by an error or by its transport; GOAWAY alone does not close it. */
  get closed(): boolean {
    return this.#core.closed;
  }

  /** Whether no more streams will come and none is left: time to close the transport. */
  get drained(): boolean {
    return (this.#goawaySent || this.#goawayReceived) && this.#core.streams.size === 0;
  }

  /** Streams that are not closed. */
  get activeStreams(): number {
    return this.#core.streams.size;
  }

  /** Whether the peer's first SETTINGS have come; until then its limits are the protocol's defaults. */
  get remoteSettingsReceived(): boolean {
    return this.#core.peer.received;
  }

  /** A setting of a private kind that the peer has told; undefined until then. @param id from FIRST_EXPERIMENTAL_SETTING on */
  experimentalSetting(id: number): number | undefined {
    return this.#core.peer.experimental.get(id);
  }

  /** Streams that the peer lets us open at once; Infinity until it says otherwise. */
  get peerMaxConcurrentStreams(): number {
    return this.#core.peer.maxConcurrentStreams;
  }

  /** Whether the peer has sent GOAWAY, which ends the opening of streams. */
  get goawayReceived(): boolean {
    return this.#goawayReceived;
  }

  /**
   * Within `onHeaders` and `onTrailers`: names of the fields that their sender marked never-indexed. An intermediary must
   * pass them on so (RFC 7541, section 6.2.3): hand these to `request`, `sendHeaders` or `sendTrailers`.
   */
  get neverIndexed(): readonly string[] {
    return this.#messages.neverIndexed;
  }

  /** Client: whether `request` would open a stream now. */
  get canRequest(): boolean {
    const core = this.#core;
    return (
      this.role === 'client' &&
      !core.closed &&
      !this.#goawaySent &&
      !this.#goawayReceived &&
      this.#nextStreamId <= MAX_31_BITS &&
      core.streams.size < core.peer.maxConcurrentStreams
    );
  }

  /** Takes in what the transport has read, `bytes[start..end)`. Handlers are called from within. */
  receive(bytes: Uint8Array, start: number, end: number): void {
    if (this.#receiving) throw new Http2UsageError('receive was called from within a handler');
    if (this.#core.closed) return;
    this.#receiving = true;
    try {
      this.#receiver.begin();
      this.#reader.read(bytes, start, end);
    } finally {
      this.#receiving = false;
    }
  }

  /** Bytes of control output that wait for {@link takeOutput}. */
  get outputLength(): number {
    return this.#core.output.length;
  }

  /**
   * Moves as much of the control output as fits to `target[offset..)`, in order, and returns how many bytes it was. Drain
   * it before a DATA frame is appended.
   */
  takeOutput(target: Uint8Array, offset: number): number {
    return this.#core.output.take(target, offset);
  }

  /**
   * Client: opens a stream and queues its request.
   *
   * Pseudo-headers must come first and names must be lower case; the rules of RFC 9113, section 8, are the caller's to keep.
   *
   * @returns undefined when no stream may be opened (see {@link canRequest}).
   * @throws HeaderEncodingError for a field that cannot be sent; no stream is opened then.
   */
  request(
    headers: HeaderBlock,
    endStream: boolean,
    context: T,
    neverIndex: readonly string[] = NO_NAMES,
  ): Http2Stream<T> | undefined {
    if (!this.canRequest) return undefined;
    const core = this.#core;
    const id = this.#nextStreamId;
    core.writeHeaders(id, headers, endStream, neverIndex);
    this.#nextStreamId += 2;
    core.lastStreamId = id;
    const stream = new Http2Stream<T>(id, core, context);
    stream.markRequestSent(headers, endStream);
    core.streams.set(id, stream);
    core.guard.streamOpened();
    return stream;
  }

  /** Queues PING. The payload, an integer of at most 53 bits, comes back by `onPong`. */
  ping(payload: number): void {
    if (this.#core.closed) return;
    this.#core.output.ping(Math.floor(payload / TWO_TO_32), payload % TWO_TO_32, false);
  }

  /**
   * Queues GOAWAY: no stream that the peer opens after those it has opened is taken, and we open none. Streams that are open
   * go on.
   *
   * @param debug ASCII text for the peer's log.
   */
  goaway(errorCode: number, debug = ''): void {
    const core = this.#core;
    if (core.closed) return;
    core.acceptUpTo = Math.min(core.acceptUpTo, core.lastStreamId);
    core.output.goaway(core.lastPeerStreamId, errorCode, debug);
    this.#goawaySent = true;
    this.#shuttingDown = false;
  }

  /**
   * Begins a graceful end (RFC 9113, section 6.8). A server announces it by a GOAWAY that refuses nothing yet, so that no
   * request is lost that is on its way; once the peer has seen it (it answers the PING behind it) or
   * {@link finishShutdown} is called, the GOAWAY that counts follows. A client has nothing to wait for.
   */
  startShutdown(): void {
    const core = this.#core;
    if (core.closed || this.#goawaySent || this.#shuttingDown) return;
    if (this.role === 'client') {
      this.goaway(ErrorCode.NO_ERROR);
      return;
    }
    this.#shuttingDown = true;
    core.output.goaway(MAX_31_BITS, ErrorCode.NO_ERROR, '');
    core.output.ping(SHUTDOWN_PING_HIGH, SHUTDOWN_PING_LOW, false);
  }

  /** Ends what {@link startShutdown} began, without waiting for the peer any longer. */
  finishShutdown(): void {
    if (this.#shuttingDown) this.goaway(ErrorCode.NO_ERROR);
  }

  /**
   * The owner has consumed `bytes` of body, of whatever stream: the connection may carry as many more. WINDOW_UPDATE is sent
   * when a quarter of the window is due.
   */
  releaseConnectionWindow(bytes: number): void {
    this.#core.releaseConnection(bytes);
  }

  /**
   * How many bytes the peer may be ahead of us from now on, over all streams: 1 to `connectionWindowSize`, which it is at
   * first. Less means less waiting behind bulk on the way; a smaller value lets what was granted run down first.
   */
  setConnectionWindow(bytes: number): void {
    this.#core.setConnectionWindow(bytes);
  }

  /** The transport has ended: every open stream gets `onReset` (CANCEL, remote) and `onStreamClosed`. */
  transportClosed(): void {
    this.#core.abandon();
  }

  #onPong(high: number, low: number): void {
    if (this.#shuttingDown && high === SHUTDOWN_PING_HIGH && low === SHUTDOWN_PING_LOW) this.finishShutdown();
    else if (!this.#core.takeProbeAnswer(high, low)) this.#core.handler.onPong(high * TWO_TO_32 + low);
  }

  #onGoaway(lastStreamId: number, errorCode: number, debug: string): void {
    const core = this.#core;
    // The first GOAWAY of a graceful end names no stream, but it does say not to open any.
    this.#goawayReceived = true;
    if (this.role === 'client') {
      for (const stream of core.streams.values()) {
        if (stream.id > lastStreamId) core.kill(stream, ErrorCode.REFUSED_STREAM, true, undefined);
      }
    }
    core.handler.onGoaway(lastStreamId, errorCode, debug);
  }
}
