import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { listenInside } from '@ambient/testkit/hostile-peer';
import type { Pod } from '../../netns/harness/index.ts';

/**
 * A port inside pods behind which a service of this process stands: the control plane or the CA as a proxy reaches it. It
 * can go away and come back while the service lives on.
 */
export class InPodEndpoint {
  readonly #port: number;
  readonly #serve: (connection: Socket) => void;
  readonly #servers: Server[] = [];
  readonly #sockets = new Set<Socket>();

  /** @param serve takes each connection over */
  constructor(port: number, serve: (connection: Socket) => void) {
    this.#port = port;
    this.#serve = serve;
  }

  /** Listens inside the pods. */
  open(pods: readonly Pod[]): void {
    for (const pod of pods)
      this.#servers.push(
        listenInside(pod.netns, this.#port, (socket) => {
          this.#sockets.add(socket);
          socket.once('close', () => this.#sockets.delete(socket));
          socket.on('error', () => undefined); // a proxy that ends resets its connections
          this.#serve(socket);
        }),
      );
  }

  /** Resets every connection; new ones are refused. */
  async close(): Promise<void> {
    const servers = this.#servers.splice(0);
    const closed = servers.map((server) => once(server, 'close'));
    for (const server of servers) server.close();
    for (const socket of this.#sockets) socket.resetAndDestroy();
    await Promise.all(closed);
  }
}
