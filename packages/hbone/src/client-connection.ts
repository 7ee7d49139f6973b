import type { HeaderBlock, Http2Reason } from '@ambient/http';
import { ErrorCode, headerValue } from '@ambient/http';
import type { DialOptions, KeepAlive, Reactor, SocketAddress, SystemError } from '@ambient/linux';
import { TcpSocket, Timer } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import type { ConnectRequest } from './connect-headers.ts';
import { encodeConnect } from './connect-headers.ts';
import type { Http2StreamOf } from './connection.ts';
import { HboneConnection } from './connection.ts';
import { HboneError, refusedError } from './errors.ts';
import type { HboneSettings } from './settings.ts';
import { LOCAL_CONGESTION_CONTROL } from './settings.ts';
import { SocketLink } from './socket-link.ts';
import type { TunnelSink } from './tunnel.ts';
import { TunnelLink } from './tunnel-link.ts';
import { HboneTunnel } from './tunnel.ts';

/** Verifies a server by its certificate, in DER, and says what is wrong with it. */
export type VerifyPeer = (leaf: Buffer, chain: () => Buffer[]) => HboneError | undefined;

export interface ClientConnectionOwner {
  onOpen(connection: ClientConnection): void;
  /** A tunnel has ended, so that there is room for another. */
  onTunnelClosed(connection: ClientConnection): void;
  /** Ended, or never opened. */
  onGone(connection: ClientConnection, error: HboneError): void;
}

/** The client end of an HBONE connection: opens tunnels to one server. */
export class ClientConnection extends HboneConnection {
  readonly #owner: ClientConnectionOwner;
  readonly #verify: VerifyPeer;
  /** Since when no tunnel is open, on the reactor's clock. */
  #idleSinceMs: number;
  /** Runs at the latest from when no tunnel is left; looks at `#idleSinceMs` when it fires. */
  readonly #idleTimer = new Timer(() => {
    this.#releaseIfIdle();
  });
  #idleTimerRuns = false;
  /** How this connection names the peer in texts. */
  readonly #peerName: string;

  constructor(
    reactor: Reactor,
    settings: HboneSettings,
    verify: VerifyPeer,
    peerName: string,
    owner: ClientConnectionOwner,
  ) {
    super('client', reactor, settings);
    this.#verify = verify;
    this.#owner = owner;
    this.#peerName = peerName;
    this.#idleSinceMs = reactor.nowMs;
  }

  /** Connects by TCP and TLS. Failure is told to the owner, never thrown. */
  dial(to: SocketAddress, context: TlsContext, options: DialOptions, keepAlive: KeepAlive | undefined): void {
    let socket: TcpSocket | undefined;
    try {
      socket = TcpSocket.dial(to, { ...options, provisionalCongestionControl: LOCAL_CONGESTION_CONTROL });
      this.#link(socket, to, context, keepAlive);
    } catch (error) {
      socket?.close();
      this.fail(dialError(error as Error));
    }
  }

  #link(socket: TcpSocket, to: SocketAddress, context: TlsContext, keepAlive: KeepAlive | undefined): void {
    socket.setNoDelay();
    if (keepAlive !== undefined) socket.setKeepAlive(keepAlive);
    socket.setUnsentLowWater(this.settings.unsentLowWaterBytes);
    this.reactor.setTimer(this.timer, this.settings.dialTimeoutMs);
    const link: SocketLink = new SocketLink(
      this.reactor,
      socket,
      to,
      context,
      {
        onConnected: (error: SystemError | undefined) => {
          if (error === undefined) this.startHandshake(link);
          else this.fail(dialError(error));
        },
        onReadable: (ended) => {
          this.onTransportReadable(ended);
        },
        onWritable: () => {
          this.onTransportWritable();
        },
        onFault: (error) => {
          this.onFault(error);
        },
      },
      true,
    );
    this.channel = link;
  }

  /**
   * Connects by TLS inside a tunnel of another connection. Ask for that tunnel with the link as its sink: the handshake
   * begins when it opens, and this connection ends when it does.
   */
  openInside(context: TlsContext): TunnelLink {
    const link = new TunnelLink(this.reactor, context, {
      onConnected: () => {
        this.startHandshake(link);
      },
      onReadable: (ended) => {
        this.onTransportReadable(ended);
      },
      onWritable: () => {
        this.onTransportWritable();
      },
      onLost: (error) => {
        this.fail(error);
      },
      onFault: (error) => {
        this.onFault(error);
      },
    });
    this.channel = link;
    return link;
  }

  /** True when another tunnel may be opened here. */
  get available(): boolean {
    return (
      this.state === 'open' &&
      this.http2.canRequest &&
      this.activeTunnels < this.settings.maxTunnelsPerConnection &&
      !this.inDoubt
    );
  }

  /**
   * Asks the server for a tunnel; the sink hears of its opening or end. Only while `available`.
   * @throws HeaderEncodingError when a field of the request cannot be sent; nothing was asked for then
   */
  openTunnel(request: ConnectRequest, sink: TunnelSink): HboneTunnel | undefined {
    const tunnel = new HboneTunnel(this, sink);
    const stream = this.http2.request(encodeConnect(request), false, tunnel);
    if (stream === undefined) return undefined;
    tunnel.stream = stream;
    this.probe();
    this.requestFlush();
    return tunnel;
  }

  protected override verifyPeer(leaf: Buffer, chain: () => Buffer[]): HboneError | undefined {
    return this.#verify(leaf, chain);
  }

  protected override onOpen(): void {
    this.#idleSinceMs = this.reactor.nowMs;
    this.#owner.onOpen(this);
    if (this.activeTunnels === 0) this.#watchIdleness(this.settings.idleReleaseMs); // nobody waited for it any more
  }

  protected override onGone(error: HboneError): void {
    this.#owner.onGone(this, error);
  }

  protected override onTick(): void {
    // Nothing: idleness has a timer of its own.
  }

  protected override dispose(): void {
    this.reactor.cancelTimer(this.#idleTimer);
    super.dispose();
  }

  /** Set once per period and not once per tunnel: a busy connection idles for a moment after each of its tunnels. */
  #watchIdleness(afterMs: number): void {
    if (this.#idleTimerRuns || this.state !== 'open') return;
    this.#idleTimerRuns = true;
    this.reactor.setTimer(this.#idleTimer, afterMs);
  }

  #releaseIfIdle(): void {
    this.#idleTimerRuns = false;
    if (this.activeTunnels > 0) return; // the end of the last one starts it again
    const leftMs = this.#idleSinceMs + this.settings.idleReleaseMs - this.reactor.nowMs;
    if (leftMs > 0) this.#watchIdleness(leftMs);
    else this.release();
  }

  /** Closes as soon as no tunnel is left; opens no more. */
  release(): void {
    if (this.state !== 'open') return;
    this.http2.goaway(0);
    this.requestFlush();
  }

  override onHeaders(stream: Http2StreamOf, headers: HeaderBlock, endStream: boolean): void {
    const tunnel = stream.context;
    if (tunnel === undefined || tunnel.closed || !stream.headersReceived) return; // 1xx says nothing to us
    tunnel.retry = undefined;
    const status = Number(headerValue(headers, ':status'));
    if (status !== 200) {
      tunnel.reset();
      tunnel.sink.onTunnelClosed(refusedError(status));
      return;
    }
    tunnel.sink.onTunnelOpen(headers);
    if (endStream) tunnel.sink.onTunnelEnd();
  }

  /** A tunnel that the server has not looked at (REFUSED_STREAM, or beyond its GOAWAY) is asked for again. */
  override onReset(
    stream: Http2StreamOf,
    errorCode: number,
    remote: boolean,
    reason: Http2Reason | undefined,
  ): void {
    const tunnel = stream.context;
    const retry = tunnel?.retry;
    if (
      tunnel === undefined ||
      tunnel.closed ||
      retry === undefined ||
      errorCode !== ErrorCode.REFUSED_STREAM
    ) {
      super.onReset(stream, errorCode, remote, reason);
      return;
    }
    tunnel.closed = true;
    retry();
  }

  override onStreamClosed(stream: Http2StreamOf): void {
    super.onStreamClosed(stream);
    if (this.activeTunnels === 0) {
      this.#idleSinceMs = this.reactor.nowMs;
      this.#watchIdleness(this.settings.idleReleaseMs);
    }
    if (this.state === 'open') this.#owner.onTunnelClosed(this);
  }

  /** For texts: whom this connection leads to. */
  override toString(): string {
    return this.#peerName;
  }
}

function dialError(cause: Error): HboneError {
  return new HboneError('dial-failed', cause.message, { cause });
}
