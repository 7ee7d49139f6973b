// Node.js sockets that belong to another network namespace than the thread's. A socket belongs for ever to the namespace in
// which its system call was made, so what matters is that the call happens before `enter` returns.
import { connect, createServer } from 'node:net';
import type { NetConnectOpts, Server, Socket } from 'node:net';
import { pipeline } from 'node:stream';
import type { NetworkNamespace } from '@ambient/linux';

import { familyOf } from './addresses.ts';

/** Opens a TCP connection from inside a namespace to an address there. */
export function connectInNamespace(namespace: NetworkNamespace, address: string, port: number): Socket {
  return namespace.enter(() =>
    connect({
      // An address would be connected to in a later turn of the event loop; the answer of a lookup at once.
      host: 'in-namespace',
      port,
      allowHalfOpen: true,
      autoSelectFamily: false,
      lookup: (_host, _options, found) => found(null, address, familyOf(address) === 'v4' ? 4 : 6),
    }),
  );
}

/**
 * Listens inside a namespace on all of its addresses. Without an address, Node.js makes the socket at once.
 *
 * @param port 0 takes one that is free
 */
export async function listenInNamespace(
  namespace: NetworkNamespace,
  port: number,
  onConnection: (socket: Socket) => void,
): Promise<Server> {
  const server = createServer({ allowHalfOpen: true }, onConnection);
  const { promise, resolve, reject } = Promise.withResolvers<void>();
  server.once('error', reject);
  server.once('listening', resolve);
  namespace.enter(() => server.listen(port));
  await promise;
  return server;
}

/** Where a {@link Passage} leads. */
export type Destination =
  NetConnectOpts | { readonly namespace: NetworkNamespace; readonly address: string; readonly port: number };

/** A listening socket whose connections are joined to another place, bytes as they are. */
export class Passage implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server, sockets: Set<Socket>) {
    this.#server = server;
    this.#sockets = sockets;
  }

  /** From a port on all addresses of a namespace. */
  static async from(namespace: NetworkNamespace, port: number, to: Destination): Promise<Passage> {
    const sockets = new Set<Socket>();
    return new Passage(await listenInNamespace(namespace, port, joinTo(to, sockets)), sockets);
  }

  /** From an address of the thread's own namespace, or a Unix socket, into another one. */
  static async into(
    place: { readonly host: string; readonly port: number } | { readonly path: string },
    to: Destination,
  ): Promise<Passage> {
    const sockets = new Set<Socket>();
    const server = createServer({ allowHalfOpen: true }, joinTo(to, sockets));
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    server.once('error', reject);
    server.listen(place, () => resolve());
    await promise;
    return new Passage(server, sockets);
  }

  /** TCP port that it listens on; 0 for a Unix socket. */
  get port(): number {
    const address = this.#server.address();
    return address === null || typeof address === 'string' ? 0 : address.port;
  }

  /** Stops to listen, and cuts what is open. */
  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}

function joinTo(to: Destination, sockets: Set<Socket>): (outside: Socket) => void {
  const open = (): Socket =>
    'namespace' in to
      ? connectInNamespace(to.namespace, to.address, to.port)
      : connect({ ...to, allowHalfOpen: true });
  return (outside) => {
    const inside = open();
    // Each direction ends by itself; one that breaks takes both, and nothing else, with it.
    const broken = (error: Error | null | undefined): void => {
      if (error === null || error === undefined) return;
      inside.destroy();
      outside.destroy();
    };
    for (const socket of [inside, outside]) {
      sockets.add(socket);
      socket.setNoDelay(true);
      socket.once('close', () => sockets.delete(socket));
    }
    pipeline(outside, inside, broken);
    pipeline(inside, outside, broken);
  };
}
