import type { Reactor, SocketAddress } from '@ambient/linux';
import { TcpListener, TcpSocket } from '@ambient/linux';
import { turnUntil } from '@ambient/hbone/testing';

/** Two ends of one TCP connection on loopback, neither registered with a reactor. */
export interface SocketPair {
  readonly dialled: TcpSocket;
  readonly accepted: TcpSocket;
  /** Address of the dialled end. */
  readonly from: SocketAddress;
}

function raise(error: unknown): never {
  throw error as Error;
}

export function socketPair(reactor: Reactor): SocketPair {
  const found: { socket: TcpSocket; peer: SocketAddress }[] = [];
  using listener = new TcpListener(
    reactor,
    { ip: '127.0.0.1', port: 0 },
    { backlog: 1, reusePort: false },
    {
      onAccept: (socket, peer) => found.push({ socket, peer }),
      onAcceptPaused: raise,
      onAcceptResumed: () => undefined,
      onFault: raise,
    },
  );
  listener.start();
  const dialled = TcpSocket.dial(listener.localAddress());
  turnUntil(reactor, 'the connection of a pair', () => found.length > 0);
  return { dialled, accepted: found[0]!.socket, from: found[0]!.peer };
}

/** Registers a connected socket as who has dialled it does, until a relay has it handed over. */
export function registerAsDialled(reactor: Reactor, socket: TcpSocket): void {
  reactor.register(socket.fd, { onReadiness: () => undefined, onFault: raise });
}
