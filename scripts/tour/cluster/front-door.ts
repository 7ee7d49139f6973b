import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';
import { joinTo } from '../apps/join.ts';

/**
 * A port on the loopback of the tour's own network namespace that leads into the namespace of the API, by the Unix socket
 * of a `door` there: for the tour itself and for kubectl, also from another terminal.
 */
export class FrontDoor implements Disposable {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();

  private constructor(server: Server) {
    this.#server = server;
    server.on('connection', (socket) => {
      this.#sockets.add(socket);
      socket.on('close', () => this.#sockets.delete(socket));
    });
  }

  /** @param socket path of the Unix socket; nobody needs to listen there yet */
  static async open(socket: string): Promise<FrontDoor> {
    const server = createServer(joinTo({ path: socket }));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    return new FrontDoor(server);
  }

  /** `https://127.0.0.1:PORT` */
  get url(): string {
    return `https://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  [Symbol.dispose](): void {
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }
}
