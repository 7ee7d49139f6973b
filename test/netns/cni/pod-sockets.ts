import { expect } from 'chai';
import type { DialOptions, SocketAddress } from '@ambient/linux';
import {
  ERROR,
  formatAddress,
  HANGUP,
  IoBuffer,
  NetworkNamespace,
  Reactor,
  TcpListener,
  TcpSocket,
  UdpSocket,
} from '@ambient/linux';
import type { Netns } from '@ambient/testkit/lab';

/** What became of a connection. */
export interface Arrival {
  /** Name of the listener that got it; `refused` when none did. */
  readonly at: string;
  /** The destination that the client meant, as the listener's socket tells (SO_ORIGINAL_DST). */
  readonly meant?: string | undefined;
  /** The client's address as the listener sees it. */
  readonly from?: string;
}

const DEADLINE_MS = 5000;
const TURN_MS = 50;

/** Sockets of one thread in several network namespaces, driven turn by turn: what a test does is over when it returns. */
export class PodSockets {
  readonly #reactor = new Reactor((error) => {
    throw error;
  });
  readonly #listeners: TcpListener[] = [];
  readonly #datagrams: { readonly name: string; readonly socket: UdpSocket }[] = [];
  readonly #namespaces = new Map<Netns, NetworkNamespace>();
  #arrival: Arrival | undefined;

  namespace(netns: Netns): NetworkNamespace {
    let namespace = this.#namespaces.get(netns);
    if (namespace === undefined) this.#namespaces.set(netns, (namespace = NetworkNamespace.open(netns.path)));
    return namespace;
  }

  /** Listens on all addresses of both families. */
  listen(netns: Netns, name: string, port: number, mark?: number): void {
    const listener = this.namespace(netns).enter(
      () =>
        new TcpListener(
          this.#reactor,
          { ip: '::', port },
          { backlog: 16, reusePort: false, mark, transparent: mark !== undefined },
          {
            onAccept: (socket, peer) => {
              const meant = socket.originalDestination();
              this.#arrival = {
                at: name,
                from: peer.ip,
                meant: meant === undefined ? undefined : formatAddress(meant),
              };
              socket.close();
            },
            onAcceptPaused: (error) => {
              throw error;
            },
            onAcceptResumed: () => undefined,
            onFault: (error) => {
              throw error;
            },
          },
        ),
    );
    listener.start();
    this.#listeners.push(listener);
  }

  /** Answers every datagram with its own name. */
  answerDatagrams(netns: Netns, name: string, at: SocketAddress, mark?: number): void {
    const socket = this.namespace(netns).enter(() => new UdpSocket(at, { mark }));
    this.#datagrams.push({ name, socket });
  }

  /** Connects, and tells who got it. */
  dial(netns: Netns, to: SocketAddress, options: DialOptions = {}): Arrival {
    this.#arrival = undefined;
    let refused = false;
    const socket = this.namespace(netns).enter(() => TcpSocket.dial(to, options));
    this.#reactor.register(socket.fd, {
      onReadiness: (readiness) => {
        if ((readiness & (ERROR | HANGUP)) !== 0) refused ||= socket.connectResult('') !== undefined;
      },
      onFault: (error) => {
        throw error;
      },
    });
    this.#until(() => this.#arrival !== undefined || refused, `a connection to ${formatAddress(to)}`);
    this.#reactor.unregister(socket.fd);
    socket.close();
    return this.#arrival ?? { at: 'refused' };
  }

  /** Sends a datagram. @returns the answer, and whom it comes from */
  ask(netns: Netns, to: SocketAddress, mark?: number): string {
    const any = to.ip.includes(':') ? '::' : '0.0.0.0';
    using client = this.namespace(netns).enter(() => new UdpSocket({ ip: any, port: 0 }, { mark }));
    const buffer = new IoBuffer(64);
    buffer.bytes.write('query');
    expect(client.send(buffer, 0, 5, to)).to.equal(5);
    let answer: string | undefined;
    this.#until(
      () => {
        for (const { name, socket } of this.#datagrams) {
          if (socket.recv(buffer, 0, 64) <= 0) continue;
          const length = buffer.bytes.write(name);
          socket.send(buffer, 0, length, socket.sender!);
        }
        const length = client.recv(buffer, 0, 64);
        if (length > 0)
          answer = `${buffer.bytes.toString('latin1', 0, length)} as ${formatAddress(client.sender!)}`;
        return answer !== undefined;
      },
      `a datagram to ${formatAddress(to)}`,
    );
    return answer!;
  }

  close(): void {
    for (const listener of this.#listeners) listener.close();
    for (const { socket } of this.#datagrams) socket.close();
    for (const namespace of this.#namespaces.values()) namespace.close();
    this.#reactor.close();
  }

  #until(done: () => boolean, what: string): void {
    const deadline = performance.now() + DEADLINE_MS;
    while (!done()) {
      if (performance.now() > deadline) throw new Error(`${what}: nothing happened in ${DEADLINE_MS} ms`);
      this.#reactor.turn(this.#datagrams.length > 0 ? 1 : TURN_MS);
    }
  }
}
