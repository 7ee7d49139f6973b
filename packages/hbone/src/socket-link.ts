import type { Reactor, ReadinessHandler, SocketAddress, TcpSocket } from '@ambient/linux';
import { ERROR, HANGUP, PEER_CLOSED, READABLE, WRITABLE, formatAddress } from '@ambient/linux';
import type { SystemError } from '@ambient/linux';
import type { TlsContext } from '@ambient/tls';
import { TlsSession } from '@ambient/tls';

/** What a connection on a TCP socket hears of its socket. */
export interface SocketLinkOwner {
  /** A dialled socket is connected, or is not. */
  onConnected(error: SystemError | undefined): void;
  onReadable(ended: boolean): void;
  onWritable(): void;
  onFault(error: unknown): void;
}

/** A TLS session and the socket below it, as one channel: owns both and their registration. */
export class SocketLink extends TlsSession implements ReadinessHandler {
  readonly #reactor: Reactor;
  readonly #socket: TcpSocket;
  readonly #owner: SocketLinkOwner;
  readonly #peer: SocketAddress;
  #connecting: boolean;

  /** @param connecting the socket was dialled just now */
  constructor(
    reactor: Reactor,
    socket: TcpSocket,
    peer: SocketAddress,
    context: TlsContext,
    owner: SocketLinkOwner,
    connecting: boolean,
  ) {
    super(context, socket);
    this.#reactor = reactor;
    this.#socket = socket;
    this.#peer = peer;
    this.#owner = owner;
    this.#connecting = connecting;
    try {
      reactor.register(socket.fd, this);
    } catch (error) {
      super.close();
      throw error;
    }
  }

  onReadiness(readiness: number): void {
    if (this.#connecting) {
      if ((readiness & (WRITABLE | ERROR | HANGUP)) === 0) return;
      this.#connecting = false;
      this.#owner.onConnected(this.#socket.connectResult(formatAddress(this.#peer)));
      return;
    }
    if ((readiness & WRITABLE) !== 0) this.#owner.onWritable();
    if ((readiness & (READABLE | PEER_CLOSED | ERROR | HANGUP)) !== 0)
      this.#owner.onReadable((readiness & (PEER_CLOSED | ERROR | HANGUP)) !== 0);
  }

  onFault(error: unknown): void {
    this.#owner.onFault(error);
  }

  /** The network between is controlled as the machine or its operator has chosen. */
  peerIsElsewhere(): void {
    this.#socket.restoreCongestionControl();
  }

  override close(): void {
    super.close();
    if (this.#socket.closed) return;
    this.#reactor.unregister(this.#socket.fd);
    this.#socket.close();
  }
}
