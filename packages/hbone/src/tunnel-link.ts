import type { IoBuffer, Reactor, TurnTask } from '@ambient/linux';
import { FAILED, Timer, WOULD_BLOCK } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import { MemoryTlsSession } from '@ambient/tls';
import type { HboneError } from './errors.ts';
import { carrierError } from './errors.ts';
import type { HboneTunnel, TunnelSink } from './tunnel.ts';

/** How long the far end may take to end its half after we have ended ours in good order; then the tunnel is reset. */
const LINGER_MS = 5000;
const NO_ERROR = 0;
const CANCEL = 8;

/** What a connection inside a tunnel hears of the tunnel. */
export interface TunnelLinkOwner {
  /** The tunnel stands. */
  onConnected(): void;
  onReadable(ended: boolean): void;
  onWritable(): void;
  /** The tunnel has failed; close the link. */
  onLost(error: HboneError): void;
  onFault(error: unknown): void;
}

/**
 * A TLS session inside a tunnel of another connection, as one channel: owns both. It is the sink of that tunnel: hand it to
 * the pool, and give it the tunnel by `attachTunnel`.
 *
 * What comes is copied and read at the end of the turn: the thread's read buffer is in use while the connection around
 * delivers. What goes is written straight into the buffer of the connection around.
 */
export class TunnelLink extends MemoryTlsSession implements TunnelSink, TurnTask {
  readonly #reactor: Reactor;
  readonly #owner: TunnelLinkOwner;
  #tunnel: HboneTunnel | undefined;
  #open = false;
  /** The far end sends no more. */
  #ended = false;
  #error: HboneError | undefined;
  #scheduled = false;
  #shutDown = false;
  #closed = false;
  readonly #linger = new Timer(() => {
    this.#dropTunnel(NO_ERROR);
  });

  constructor(reactor: Reactor, context: TlsContext, owner: TunnelLinkOwner) {
    super(context);
    this.#reactor = reactor;
    this.#owner = owner;
  }

  /** The tunnel has been asked for. */
  attachTunnel(tunnel: HboneTunnel): void {
    this.#tunnel = tunnel;
    if (this.#closed) this.#dropTunnel(CANCEL);
  }

  // --- what comes out of the tunnel ---

  onTunnelOpen(): void {
    if (this.#closed) return;
    this.#open = true;
    this.#owner.onConnected();
  }

  onTunnelData(buffer: IoBuffer, start: number, end: number): void {
    if (this.#closed) {
      this.#tunnel?.consumed(end - start); // lingering: what still comes is for nobody
      return;
    }
    this.feed(buffer, start, end);
    this.#schedule();
  }

  onTunnelEnd(): void {
    this.#ended = true;
    if (this.#closed) {
      this.#reactor.cancelTimer(this.#linger);
      return;
    }
    this.feedEnd();
    this.#schedule();
  }

  onTunnelWritable(): void {
    if (!this.#closed) this.#owner.onWritable();
  }

  onTunnelClosed(error: HboneError | undefined): void {
    this.#tunnel = undefined;
    this.#reactor.cancelTimer(this.#linger);
    if (this.#closed) return;
    const clean = error === undefined || error.http2Code === NO_ERROR || error.http2Code === CANCEL;
    if (clean && this.#open) this.feedEnd();
    else this.#error = carrierError(error);
    this.#ended = true;
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#reactor.atEndOfTurn(this);
  }

  /** Turn task: lets the connection read. */
  run(): void {
    this.#scheduled = false;
    if (this.#closed) return;
    if (this.#open) this.#owner.onReadable(this.#ended);
    if (this.#error !== undefined && !this.#isClosed()) this.#owner.onLost(this.#error);
  }

  /** A callback may have closed us. */
  #isClosed(): boolean {
    return this.#closed;
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }

  // --- what goes into it ---

  protected override sendCiphertext(bytes: Buffer, start: number, end: number): number {
    let at = start;
    while (at < end) {
      const tunnel = this.#tunnel;
      const room = tunnel === undefined ? 0 : tunnel.prepareWrite(end - at);
      if (room === 0) break; // or the connection around has just failed
      const { connection } = tunnel!;
      bytes.copy(connection.writeBuffer.bytes, connection.writeOffset, at, at + room);
      tunnel!.commitWrite(room);
      at += room;
    }
    if (this.#tunnel === undefined || this.#tunnel.closed) {
      this.lastError = this.#error ?? carrierError(undefined);
      return FAILED;
    }
    return at === start ? WOULD_BLOCK : at - start;
  }

  protected override onFedUsed(bytes: number): void {
    this.#tunnel?.consumed(bytes);
  }

  // --- the end ---

  /** What carries the tunnel around it knows where it leads. */
  peerIsElsewhere(): void {}

  override shutdown(): void {
    super.shutdown();
    this.#shutDown = true;
  }

  override close(): void {
    if (this.#closed) return;
    this.#closed = true;
    super.close();
    if (!this.#shutDown || this.#tunnel === undefined) {
      this.#dropTunnel(CANCEL);
      return;
    }
    this.#tunnel.end();
    if (!this.#ended) this.#reactor.setTimer(this.#linger, LINGER_MS);
  }

  #dropTunnel(code: number): void {
    const tunnel = this.#tunnel;
    this.#tunnel = undefined;
    tunnel?.reset(code);
  }
}
