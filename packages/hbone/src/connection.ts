import type {
  AbuseLimits,
  HeaderBlock,
  Http2Error,
  Http2Handler,
  Http2Reason,
  Http2Stream,
} from '@ambient/http';
import { DEFAULT_ABUSE_LIMITS, Http2Connection } from '@ambient/http';
import type { Reactor, TurnTask } from '@ambient/linux';
import { IoBuffer, Timer } from '@ambient/linux';
import { TlsError } from '@ambient/tls';
import type { SecureChannel } from './channel.ts';
import { HboneError, hboneFailures, resetError } from './errors.ts';
import { PingWatch } from './ping-watch.ts';
import { ReadPace } from './read-pace.ts';
import { ReceiveCredit } from './receive-credit.ts';
import type { HboneSettings } from './settings.ts';
import { MACHINE_SETTING, http2Settings } from './settings.ts';
import type { HboneTunnel } from './tunnel.ts';
import { TurnWrites } from './turn-writes.ts';

/** Less room than this is not worth a frame of its own: what is there is sent first. */
const MIN_ROOM_BYTES = 16 * 1024;
/** Plaintext read before other connections get their turn. */
const READ_QUANTUM_BYTES = 256 * 1024;
/** The same where light traffic of this connection waits as well. */
const LIGHT_READ_QUANTUM_BYTES = 128 * 1024;
/** When less than this is left of the quantum, the next read waits for the next turn: it would be another whole one. */
const MIN_READ_BYTES = 16 * 1024;
const NO_ERROR = 0;

/** One per thread: what has been read is handed on before the next read. A full read of the socket fits, and a record more. */
const readBuffer = new IoBuffer(272 * 1024);

export type Http2StreamOf = Http2Stream<HboneTunnel | undefined>;

/** `closing`: what is queued still goes out, nothing is read. */
export type ConnectionState = 'connecting' | 'handshaking' | 'open' | 'closing' | 'closed';

/**
 * HTTP/2 over an encrypted channel, carrying tunnels: what client and server have in common.
 *
 * Writes of one turn gather in one buffer, control frames and data of all tunnels in order, and leave in one TLS write at
 * the end of the turn.
 */
export abstract class HboneConnection implements TurnTask, Http2Handler<HboneTunnel | undefined> {
  protected readonly reactor: Reactor;
  protected readonly settings: HboneSettings;
  protected channel: SecureChannel | undefined;
  protected readonly http2: Http2Connection<HboneTunnel | undefined>;
  protected readonly timer: Timer = new Timer(() => {
    this.onTimer();
  });
  #state: ConnectionState = 'connecting';
  #failure: HboneError | undefined;
  readonly #writes: TurnWrites<HboneTunnel | undefined>;
  #flushRequested = false;
  #readable = false;
  #peerEnded = false;
  #readDeferred = false;
  readonly #deferredRead: TurnTask = {
    run: () => {
      this.#readDeferred = false;
      if (this.#state === 'open') this.#read();
    },
    onFault: (error) => {
      this.onFault(error);
    },
  };
  #waiting: HboneTunnel[] = [];
  readonly #pings: PingWatch;
  /** When bytes of the peer last came, on the reactor's clock. */
  #heardAtMs: number;
  readonly #credit: ReceiveCredit<HboneTunnel | undefined>;
  readonly #pace = new ReadPace();

  constructor(
    role: 'client' | 'server',
    reactor: Reactor,
    settings: HboneSettings,
    limits: AbuseLimits = DEFAULT_ABUSE_LIMITS,
  ) {
    this.reactor = reactor;
    this.settings = settings;
    this.#pings = new PingWatch(settings.pingTimeoutMs);
    this.#heardAtMs = reactor.nowMs;
    this.http2 = new Http2Connection(role, http2Settings(role, settings), this, limits, () => reactor.nowMs);
    this.#writes = new TurnWrites(this.http2);
    this.#credit = new ReceiveCredit(
      this.http2,
      settings.connectionWindowBytes,
      settings.maxHeldBytes,
      reactor.nowMs,
    );
  }

  /** Says whether the peer may talk with us; called once, when its certificate's chain has been verified. */
  protected abstract verifyPeer(leaf: Buffer, chain: () => Buffer[]): HboneError | undefined;
  /** Encryption stands and the peer is known. */
  protected abstract onOpen(): void;
  /** The connection has ended; all tunnels have been told. */
  protected abstract onGone(error: HboneError): void;
  protected abstract onTick(): void;
  abstract onHeaders(stream: Http2StreamOf, headers: HeaderBlock, endStream: boolean): void;

  get state(): ConnectionState {
    return this.#state;
  }

  get activeTunnels(): number {
    return this.http2.activeStreams;
  }

  /** The peer's verified chain, in DER, its own certificate first; empty before and after the connection stands. */
  peerChain(): Buffer[] {
    return this.#state === 'open' ? this.channel!.verifiedChain() : [];
  }

  // --- life ---

  /** The transport carries bytes from now on: starts the handshake. */
  protected startHandshake(channel: SecureChannel): void {
    this.channel = channel;
    this.#state = 'handshaking';
    this.reactor.setTimer(this.timer, this.settings.handshakeTimeoutMs);
    this.#advanceHandshake();
  }

  #advanceHandshake(): void {
    const channel = this.channel!;
    const progress = channel.handshake();
    if (progress === 'pending') return;
    if (progress === 'failed') {
      const cause = channel.lastError;
      this.fail(new HboneError('tls-failed', cause?.message ?? 'TLS handshake failed', { cause }));
      return;
    }
    const leaf = channel.peerCertificate();
    if (leaf === undefined) {
      const cause = new TlsError('no-certificate', 'the handshake ended without one');
      this.fail(new HboneError('tls-failed', cause.message, { cause }));
      return;
    }
    const refusal = this.verifyPeer(leaf, () => channel.verifiedChain());
    if (refusal !== undefined) {
      this.fail(refusal);
      return;
    }
    this.#state = 'open';
    this.requestFlush();
    this.onOpen();
    this.#readable = true; // the peer's first frames may have come with the end of the handshake
    this.#read();
  }

  protected onTimer(): void {
    if (this.#state === 'connecting') {
      const seconds = this.settings.dialTimeoutMs / 1000;
      this.fail(new HboneError('dial-timeout', `no connection within ${seconds} s`));
      return;
    }
    if (this.#state === 'closing') {
      this.fail(new HboneError('shut-down', 'the connection was shut down')); // the peer does not take the rest
      return;
    }
    if (this.#state === 'handshaking' || !this.http2.remoteSettingsReceived) {
      const seconds = this.settings.handshakeTimeoutMs / 1000;
      this.fail(new HboneError('handshake-timeout', `no end of the handshakes within ${seconds} s`));
      return;
    }
    this.reactor.setTimer(this.timer, this.settings.pingIntervalMs);
    this.#checkPing();
    if (this.#state === 'open') this.onTick();
  }

  #checkPing(): void {
    if (!this.#pings.outstanding) {
      this.#ping();
      return;
    }
    if (!this.#pings.overdue(this.reactor.nowMs)) return;
    this.http2.goaway(NO_ERROR, 'ping timeout');
    if (!this.channel!.blocked) this.#send();
    const seconds = this.settings.pingTimeoutMs / 1000;
    this.fail(new HboneError('ping-timeout', `no answer to an HTTP/2 PING within ${seconds} s`));
  }

  /** The peer was asked, and has been silent since: it has crashed, or the network drops its packets. */
  protected get inDoubt(): boolean {
    return this.#pings.silentMs(this.reactor.nowMs, this.#heardAtMs) >= this.settings.doubtMs;
  }

  /** Asks whether the peer is there, unless it was heard just now: the next PING of the timer may be long in coming. */
  protected probe(): void {
    if (this.#pings.outstanding || !this.http2.remoteSettingsReceived) return;
    if (this.reactor.nowMs - this.#heardAtMs >= this.settings.doubtMs / 2) this.#ping();
  }

  #ping(): void {
    this.http2.ping(this.#pings.start(this.reactor.nowMs));
    this.requestFlush();
  }

  onPong(payload: number): void {
    const roundTripMs = this.#pings.onAnswer(payload, this.reactor.nowMs);
    if (roundTripMs !== undefined) this.#credit.onRoundTrip(roundTripMs);
  }

  onRemoteSettings(): void {
    if (this.#pings.count === 0) {
      this.#ping(); // tells the round trip while the connection is still empty
      const { machineId } = this.settings;
      const peers = this.http2.experimentalSetting(MACHINE_SETTING);
      if (machineId === undefined || peers !== machineId) this.channel?.peerIsElsewhere();
    }
    this.reactor.setTimer(this.timer, this.settings.pingIntervalMs);
  }

  /** Ends the connection now. Tunnels that are still open are told `error`. */
  fail(error: HboneError): void {
    if (this.#state === 'closed') return;
    this.#failure = error;
    this.dispose();
    this.http2.transportClosed(); // tells the tunnels, by onReset
    this.onGone(error);
  }

  /** Frees transport, buffers and timers. Idempotent. */
  protected dispose(): void {
    this.#state = 'closed';
    this.reactor.cancelTimer(this.timer);
    this.#writes.release();
    this.#waiting = [];
    this.channel?.close();
  }

  onFault(error: unknown): void {
    this.fail(new HboneError('defect', hboneFailures.defect.meaning, { cause: error }));
  }

  // --- readiness, from whoever carries the channel ---

  /** The transport has bytes, or has ended. */
  protected onTransportReadable(ended: boolean): void {
    this.#peerEnded ||= ended;
    if (this.#state === 'handshaking') {
      this.#advanceHandshake();
      return;
    }
    this.#readable = true;
    if (!this.#readDeferred) this.#read();
  }

  /** The transport takes bytes again. */
  protected onTransportWritable(): void {
    const channel = this.channel;
    if (channel === undefined || !channel.blocked) return;
    if (!channel.flush()) {
      if (channel.lastError !== undefined) this.#lost(channel.lastError);
      return;
    }
    if (this.#state === 'handshaking') return;
    this.requestFlush();
    this.#wakeWriters();
  }

  // --- reading ---

  #read(): void {
    const channel = this.channel!;
    const light = this.#credit.lightTraffic(this.reactor.nowMs);
    let budget = light ? LIGHT_READ_QUANTUM_BYTES : READ_QUANTUM_BYTES;
    const inCompany = this.reactor.inCompany;
    const most = light ? LIGHT_READ_QUANTUM_BYTES : readBuffer.length;
    while (this.#readable && this.#state === 'open') {
      if (budget < MIN_READ_BYTES || this.reactor.shareUsed) {
        this.#readDeferred = true;
        this.reactor.inNextTurn(this.#deferredRead);
        return;
      }
      const startMs = inCompany ? performance.now() : 0;
      const atOnce = inCompany ? Math.min(this.#pace.bytes, most) : most;
      const n = channel.read(readBuffer, 0, atOnce, this.#peerEnded);
      if (n <= 0) {
        this.#readable = false;
        if (n === 0) this.#lost(undefined);
        else if (!channel.drained) this.#lost(channel.lastError);
        return;
      }
      budget -= n;
      this.#heardAtMs = this.reactor.nowMs;
      if (channel.drained) this.#readable = false;
      this.http2.receive(readBuffer.bytes, 0, n);
      if (inCompany) this.#pace.onRead(n, performance.now() - startMs);
      if (this.http2.outputLength > 0 || this.http2.drained) this.requestFlush();
    }
  }

  #lost(cause: Error | undefined): void {
    if (cause === undefined && this.http2.drained) {
      this.fail(new HboneError('shut-down', 'the peer shut the connection down')); // after its GOAWAY, in good order
      return;
    }
    const what = this.http2.remoteSettingsReceived ? 'connection-lost' : 'http2-failed';
    const text = cause?.message ?? 'the peer closed the connection';
    const tls = cause !== undefined && !this.http2.remoteSettingsReceived ? 'tls-failed' : what;
    this.fail(new HboneError(tls, text, { cause }));
  }

  onData(stream: Http2StreamOf, _bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    const tunnel = stream.context;
    const length = end - start;
    if (length > 0) this.#credit.onReceived(tunnel, length, this.reactor.nowMs);
    if (tunnel === undefined || tunnel.closed) {
      if (length > 0) this.#credit.onHandedOn(length);
      return;
    }
    tunnel.heldBytes += length;
    if (length > 0) tunnel.sink.onTunnelData(readBuffer, start, end);
    if (endStream && !tunnel.closed) tunnel.sink.onTunnelEnd();
  }

  onTrailers(stream: Http2StreamOf): void {
    const tunnel = stream.context;
    if (tunnel !== undefined && !tunnel.closed) tunnel.sink.onTunnelEnd();
  }

  onReset(stream: Http2StreamOf, errorCode: number, remote: boolean, reason: Http2Reason | undefined): void {
    const tunnel = stream.context;
    if (tunnel === undefined || tunnel.closed) return;
    tunnel.closed = true;
    if (this.#failure !== undefined) {
      tunnel.sink.onTunnelClosed(this.#failure);
      return;
    }
    tunnel.sink.onTunnelClosed(resetError(errorCode, remote, reason));
  }

  onStreamClosed(stream: Http2StreamOf): void {
    const tunnel = stream.context;
    if (tunnel !== undefined && !tunnel.closed) {
      tunnel.closed = true;
      tunnel.sink.onTunnelClosed(undefined);
    }
    if (tunnel !== undefined) this.onHandedOn(tunnel, tunnel.heldBytes);
    stream.context = undefined;
    this.requestFlush(); // it may have been the last
  }

  onGoaway(): void {
    this.requestFlush(); // no more tunnels are opened (canRequest); those that are open go on to their end
  }

  onConnectionError(error: Http2Error): void {
    if (this.#state === 'open' && !this.channel!.blocked) this.#send(); // the GOAWAY
    const code = this.http2.remoteSettingsReceived ? 'connection-lost' : 'http2-failed';
    this.fail(new HboneError(code, error.message, { cause: error }));
  }

  // --- writing ---

  /** @internal for HboneTunnel */
  prepareWrite(tunnel: HboneTunnel, wanted: number): number {
    if (this.#state !== 'open' || this.channel!.blocked) return this.#awaitRoom(tunnel);
    this.requestFlush(); // gives the buffer back even when nobody writes
    let room = this.#writes.room();
    if (room < Math.min(wanted, MIN_ROOM_BYTES)) {
      this.#send();
      if ((this.#state as ConnectionState) !== 'open' || this.channel!.blocked)
        return this.#awaitRoom(tunnel);
      this.requestFlush();
      room = this.#writes.room();
    }
    return Math.min(wanted, room, tunnel.stream.sendable);
  }

  #awaitRoom(tunnel: HboneTunnel): number {
    if (!tunnel.waitingForRoom) {
      tunnel.waitingForRoom = true;
      this.#waiting.push(tunnel);
    }
    return 0;
  }

  #wakeWriters(): void {
    const waiting = this.#waiting;
    if (waiting.length === 0) return;
    this.#waiting = [];
    for (let i = 0; i < waiting.length; i++) {
      const tunnel = waiting[i]!;
      if (this.#state !== 'open' || this.channel!.blocked) {
        // Those who have not had their turn stay ahead of those who asked again.
        this.#waiting = waiting.slice(i).concat(this.#waiting);
        return;
      }
      tunnel.waitingForRoom = false;
      if (!tunnel.closed) tunnel.sink.onTunnelWritable();
    }
  }

  get writeBuffer(): IoBuffer {
    return this.#writes.buffer;
  }

  get writeOffset(): number {
    return this.#writes.offset;
  }

  /** @internal for HboneTunnel */
  commitWrite(tunnel: HboneTunnel, length: number): void {
    this.#writes.commit(tunnel.stream, length);
  }

  /** @internal for HboneTunnel: bytes that came have been handed on */
  onHandedOn(tunnel: HboneTunnel, bytes: number): void {
    const counted = Math.min(bytes, tunnel.heldBytes); // the rest was given back when the stream closed
    tunnel.heldBytes -= counted;
    if (counted > 0) this.#credit.onHandedOn(counted);
  }

  onSendable(stream: Http2StreamOf): void {
    const tunnel = stream.context;
    if (tunnel !== undefined && !tunnel.closed) tunnel.sink.onTunnelWritable();
  }

  /** Sends at the end of this turn what has been queued. */
  requestFlush(): void {
    if (this.#flushRequested) return;
    this.#flushRequested = true;
    this.reactor.atEndOfTurn(this);
  }

  /** Turn task: the flush. */
  run(): void {
    this.#flushRequested = false;
    if (this.#state !== 'open' && this.#state !== 'closing') return;
    if (this.#state === 'open' && this.http2.drained) {
      this.#state = 'closing'; // a GOAWAY went out or came in, and no tunnel is left
      this.reactor.setTimer(this.timer, this.settings.handshakeTimeoutMs); // for a peer that does not read
    }
    if (!this.channel!.blocked) this.#send();
    if (
      (this.#state as ConnectionState) === 'closing' &&
      !this.channel!.blocked &&
      this.http2.outputLength === 0
    ) {
      this.channel!.shutdown();
      this.dispose();
      this.onGone(new HboneError('shut-down', 'the connection was shut down'));
    }
  }

  #send(): void {
    const channel = this.channel!;
    if (!this.#writes.sendTo(channel)) this.#lost(channel.lastError);
  }
}
