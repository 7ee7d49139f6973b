import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { TLSSocket, createSecureContext } from 'node:tls';
import type { Netns } from '../netns/namespace.ts';
import { FrameType } from './frames.ts';
import { HostilePeer } from './peer.ts';
import type { HandshakeOptions } from './peer.ts';
import { listenInside } from './sockets.ts';

/** What a hostile server does with a connection, TLS being done. */
export type ServerScript = (peer: HostilePeer) => void | Promise<void>;

/** An HBONE server that keeps to no rule. A rejected script shows in `failures`. */
export class HostileServer {
  readonly peers: HostilePeer[] = [];
  readonly failures: unknown[] = [];
  script: ServerScript;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #watchers = new Set<() => void>();

  constructor(netns: Netns, port: number, handshake: HandshakeOptions, script: ServerScript) {
    this.script = script;
    const { protocols = ['h2'], minVersion = 'TLSv1.3', ...rest } = handshake;
    const secureContext = createSecureContext({ ...rest, minVersion });
    this.#server = listenInside(netns, port, (socket) => {
      this.#sockets.add(socket);
      socket.once('close', () => this.#sockets.delete(socket));
      const secure = new TLSSocket(socket, {
        isServer: true,
        secureContext,
        requestCert: true,
        rejectUnauthorized: false,
        ALPNProtocols: protocols,
      });
      const peer = new HostilePeer(secure, socket, 'server');
      secure.once('secure', () => {
        this.peers.push(peer);
        for (const watcher of [...this.#watchers]) watcher();
        Promise.resolve(this.script(peer)).catch((error: unknown) => this.failures.push(error));
      });
    });
  }

  /** Resolves with the newest connection as soon as there have been `count`. The test's own time limit bounds the wait. */
  accepted(count = 1): Promise<HostilePeer> {
    return new Promise((resolve) => {
      const check = (): void => {
        if (this.peers.length < count) return;
        this.#watchers.delete(check);
        resolve(this.peers.at(-1)!);
      };
      this.#watchers.add(check);
      check();
    });
  }

  /** Closes every connection and the port. */
  async close(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }
}

/** Stream of the first request beyond the stream `after`, past or to come. */
export async function nextRequest(peer: HostilePeer, after = 0): Promise<number> {
  const frame = await peer.waitForFrame((each) => each.type === FrameType.HEADERS && each.stream > after);
  return frame.stream;
}
