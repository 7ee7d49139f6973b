import type { HeaderBlock, Http2Reason } from '@ambient/http';
import { HTTP2_REASONS, headerValue } from '@ambient/http';
import type { Reactor, SocketAddress, TcpSocket } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import type { ConnectRequest } from './connect-headers.ts';
import { decodeConnect } from './connect-headers.ts';
import type { Http2StreamOf } from './connection.ts';
import { HboneConnection } from './connection.ts';
import { HboneError } from './errors.ts';
import type { HboneSettings } from './settings.ts';
import { SocketLink } from './socket-link.ts';
import type { TunnelSink } from './tunnel.ts';
import { HboneTunnel } from './tunnel.ts';

export interface ServerConnectionOwner {
  /** Says whether this client may talk with us at all. */
  verifyClient(leaf: Buffer, chain: () => Buffer[]): HboneError | undefined;
  onOpen(connection: ServerConnection): void;
  /**
   * A client asks for a tunnel. Answer, now or later, by `accept` or `refuse`; bytes may come before.
   * @returns the sink of the tunnel, or a status to refuse it with at once
   */
  onConnect(offer: TunnelOffer): TunnelSink | number;
  /** A request was refused here already: it is no CONNECT, or none that HTTP/2 allows. */
  onBadRequest(connection: ServerConnection, error: HboneError): void;
  onGone(connection: ServerConnection, error: HboneError): void;
}

/** A CONNECT request that waits for its answer. */
export class TunnelOffer {
  readonly request: ConnectRequest;
  readonly tunnel: HboneTunnel;
  readonly connection: ServerConnection;

  constructor(request: ConnectRequest, tunnel: HboneTunnel, connection: ServerConnection) {
    this.request = request;
    this.tunnel = tunnel;
    this.connection = connection;
  }

  /** Answers 200. @param headers more of the answer, names in lower case */
  accept(headers: HeaderBlock): void {
    if (this.tunnel.closed) return;
    this.tunnel.stream.sendHeaders([':status', '200', ...headers], false);
    this.connection.requestFlush();
  }

  /** Answers with an error and ends the tunnel. The sink is not told. */
  refuse(status: number): void {
    if (this.tunnel.closed) return;
    this.tunnel.closed = true;
    refuseStream(this.tunnel.stream, status);
    this.connection.requestFlush();
  }
}

function refuseStream(stream: Http2StreamOf, status: number): void {
  stream.sendHeaders([':status', String(status)], true);
  stream.reset(0); // the whole answer is sent and the request's rest is of no use: RFC 9113, section 8.1
}

/** The server end of an HBONE connection. */
export class ServerConnection extends HboneConnection {
  readonly #owner: ServerConnectionOwner;
  readonly peer: SocketAddress;
  readonly local: SocketAddress;
  /** A tunnel was asked for in this connection. */
  wasUsed = false;
  #draining = false;

  /** Takes over a socket that was accepted on the HBONE port. */
  constructor(
    reactor: Reactor,
    settings: HboneSettings,
    socket: TcpSocket,
    addresses: { readonly peer: SocketAddress; readonly local: SocketAddress },
    context: TlsContext,
    owner: ServerConnectionOwner,
  ) {
    super('server', reactor, settings);
    this.#owner = owner;
    this.peer = addresses.peer;
    this.local = addresses.local;
    socket.setNoDelay();
    socket.setUnsentLowWater(settings.unsentLowWaterBytes);
    const link = new SocketLink(
      reactor,
      socket,
      addresses.peer,
      context,
      {
        onConnected: () => undefined,
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
      false,
    );
    this.startHandshake(link);
  }

  protected override verifyPeer(leaf: Buffer, chain: () => Buffer[]): HboneError | undefined {
    return this.#owner.verifyClient(leaf, chain);
  }

  protected override onOpen(): void {
    this.#owner.onOpen(this);
    if (this.#draining) this.drain();
  }

  protected override onGone(error: HboneError): void {
    this.#owner.onGone(this, error);
  }

  protected override onTick(): void {
    // Nothing: a client decides how long its connection may idle.
  }

  /** Takes no new tunnels; the connection closes with its last one. */
  drain(): void {
    this.#draining = true; // also one whose handshake is under way
    if (this.state !== 'open') return;
    this.http2.startShutdown();
    this.requestFlush();
  }

  override onHeaders(stream: Http2StreamOf, headers: HeaderBlock, endStream: boolean): void {
    this.wasUsed = true;
    const request = decodeConnect(headers);
    if (request === undefined) {
      refuseStream(stream, 400);
      this.requestFlush();
      const method = headerValue(headers, ':method') ?? '';
      this.#owner.onBadRequest(this, new HboneError('bad-request', `${method} instead of CONNECT`));
      return;
    }
    // A sink comes with the owner's answer; until then nothing is delivered.
    const tunnel = new HboneTunnel(this, noSink);
    tunnel.stream = stream;
    stream.context = tunnel;
    const offer = new TunnelOffer(request, tunnel, this);
    const answer = this.#owner.onConnect(offer);
    if (typeof answer === 'number') {
      offer.refuse(answer);
      return;
    }
    tunnel.sink = answer;
    if (endStream && !tunnel.closed) answer.onTunnelEnd();
  }

  onRequestRefused(_streamId: number, reason: Http2Reason, detail: string): void {
    this.wasUsed = true;
    const { meaning, remedy } = HTTP2_REASONS[reason];
    const what = detail === '' ? '' : ` (${detail})`;
    const text = `HTTP/2 ${reason}: ${meaning}${what}; ${remedy}`;
    this.#owner.onBadRequest(this, new HboneError('bad-request', text, { reason }));
  }
}

const noSink: TunnelSink = {
  onTunnelOpen: () => undefined,
  onTunnelData: () => undefined,
  onTunnelEnd: () => undefined,
  onTunnelWritable: () => undefined,
  onTunnelClosed: () => undefined,
};
