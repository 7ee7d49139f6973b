import { createSocket } from 'node:dgram';
import type { Socket as DatagramSocket } from 'node:dgram';
import { once } from 'node:events';
import { createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

import type { Resolver } from './resolver.ts';
import { framed, TcpMessages } from './tcp-messages.ts';

export interface DnsServerOptions {
  readonly resolver: Pick<Resolver, 'answer'>;
  /** 0: any that is free, the same for both transports. */
  readonly port: number;
  /** Default: all addresses of both families. */
  readonly host?: string;
}

/** A client that says nothing for so long is cut off, milliseconds. */
const idleMs = 10_000;
const maxConnections = 1000;
/** Answers that one client may wait for before its next question is read. */
const maxPending = 64;

/** Raised when the port cannot be had. */
export class DnsListenError extends Error {
  override readonly name = 'DnsListenError';
  readonly code = 'LAB_DNS_LISTEN';
  constructor(port: number, cause: unknown) {
    super(`cannot listen on port ${port}; end what listens there, or choose another by --port`, { cause });
  }
}

/** Takes queries by UDP and TCP. It owns its sockets. */
export class DnsServer implements Disposable {
  readonly #resolver: Pick<Resolver, 'answer'>;
  readonly #datagrams: DatagramSocket;
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  #closed = false;

  private constructor(resolver: Pick<Resolver, 'answer'>, datagrams: DatagramSocket, server: Server) {
    this.#resolver = resolver;
    this.#datagrams = datagrams;
    this.#server = server;
    datagrams.on('message', (message, peer) => {
      void resolver.answer(message, 'udp').then((answer) => {
        // A client that is gone, or that cannot be reached, asks again if it wants.
        if (answer !== undefined && !this.#closed)
          datagrams.send(answer, peer.port, peer.address, () => undefined);
      });
    });
    datagrams.on('error', () => undefined);
    server.maxConnections = maxConnections;
    server.on('connection', (socket) => this.#serve(socket));
  }

  /** @throws DnsListenError */
  static async listen({ resolver, port, host = '::' }: DnsServerOptions): Promise<DnsServer> {
    try {
      return await DnsServer.#listenOn(resolver, port, host);
    } catch (error) {
      // A kernel or a pod without IPv6.
      if (host === '::' && (error as NodeJS.ErrnoException).code === 'EAFNOSUPPORT')
        return DnsServer.#listenOn(resolver, port, '0.0.0.0');
      throw new DnsListenError(port, error);
    }
  }

  static async #listenOn(resolver: Pick<Resolver, 'answer'>, port: number, host: string): Promise<DnsServer> {
    const server = createServer();
    server.listen(port, host);
    await once(server, 'listening');
    const datagrams = createSocket(host.includes(':') ? 'udp6' : 'udp4');
    try {
      datagrams.bind((server.address() as AddressInfo).port, host);
      await once(datagrams, 'listening');
    } catch (error) {
      server.close();
      throw error;
    }
    return new DnsServer(resolver, datagrams, server);
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  [Symbol.dispose](): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#datagrams.close();
    this.#server.close();
    for (const socket of this.#sockets) socket.destroy();
  }

  #serve(socket: Socket): void {
    this.#sockets.add(socket);
    socket.setTimeout(idleMs, () => socket.destroy());
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#sockets.delete(socket));
    let pending = 0;
    const messages = new TcpMessages((message) => {
      pending += 1;
      if (pending >= maxPending) socket.pause();
      void this.#resolver.answer(message, 'tcp').then((answer) => {
        pending -= 1;
        if (pending < maxPending) socket.resume();
        if (socket.destroyed) return;
        if (answer === undefined) socket.destroy();
        else socket.write(framed(answer));
      });
    });
    socket.on('data', (chunk: Buffer) => messages.push(chunk));
  }
}
