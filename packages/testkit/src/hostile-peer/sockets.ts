import type { Server } from 'node:net';
import { Socket, createServer } from 'node:net';
import { NetworkNamespace, TcpSocket } from '@ambient/linux';
import type { Netns } from '../netns/namespace.ts';

/**
 * A TCP connection of this process that begins inside a network namespace. It may still be connecting: writes wait, and a
 * refusal comes as the event `error`.
 */
export function connectFrom(netns: Pick<Netns, 'path'>, ip: string, port: number): Socket {
  using inside = NetworkNamespace.open(netns.path);
  // The descriptor goes over to Node's socket, which closes it.
  const { fd } = inside.enter(() => TcpSocket.dial({ ip, port }));
  const socket = new Socket({ fd, readable: true, writable: true, allowHalfOpen: true });
  socket.setNoDelay(true);
  return socket;
}

/** A server of this process inside a network namespace, on all its addresses. */
export function listenInside(netns: Netns, port: number, onConnection: (socket: Socket) => void): Server {
  using inside = NetworkNamespace.open(netns.path);
  const server = createServer({ allowHalfOpen: true, noDelay: true }, onConnection);
  inside.enter(() => server.listen({ port, backlog: 1024 })); // without a host name it binds before it returns
  return server;
}
