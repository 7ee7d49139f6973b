import type { SocketAddress, TcpListener, TcpSocket } from '@ambient/linux';
import { formatAddress } from '@ambient/linux';
import { routeRefusals } from '@ambient/mesh';
import type { LocalWorkloads, WorkerContext } from '../worker/context.ts';
import { ProxyError, proxyFailures } from '../connections/failure.ts';
import { listenForTraffic } from '../connections/listen-for-traffic.ts';
import { route } from './route-connection.ts';

const BACKLOG = 1024;

/** Takes the connections that applications of the pod open, which redirection brings to this port. */
export class OutboundListener {
  readonly #context: WorkerContext;
  readonly #workloads: LocalWorkloads;
  readonly #listener: TcpListener;
  readonly #local: SocketAddress;

  constructor(context: WorkerContext, at: SocketAddress, workloads: LocalWorkloads) {
    this.#context = context;
    this.#workloads = workloads;
    const port = { at, backlog: BACKLOG, name: 'outbound', direction: 'outbound' } as const;
    this.#listener = listenForTraffic(context, port, (socket, peer) => {
      this.#accept(socket, peer);
    });
    this.#local = this.#listener.localAddress();
  }

  /** Starts to accept; until then connections wait in the kernel. */
  start(): void {
    this.#listener.start();
  }

  get port(): number {
    return this.#local.port;
  }

  #accept(socket: TcpSocket, peer: SocketAddress): void {
    const context = this.#context;
    const redirected = socket.originalDestination();
    const destination = redirected ?? socket.localAddress();
    if (destination === undefined) {
      socket.close();
      return;
    }
    if (context.captureProof.answer('outbound', socket, destination)) return;
    // Not redirected, so somebody dialled this port itself: to go on would be to dial ourselves for ever.
    if (destination.port === this.#local.port && destination.ip === socket.localAddress()?.ip) {
      socket.close();
      const text = `${formatAddress(destination)} is the proxy itself; ${routeRefusals['self-call'].remedy}`;
      context.connections.refused('outbound', peer, destination, new ProxyError('self-call', text));
      return;
    }
    socket.setNoDelay();
    if (context.keepAlive !== undefined) socket.setKeepAlive(context.keepAlive);
    const known = this.#workloads.sender;
    if (known !== undefined) {
      route(context, { socket, source: known, peer, destination });
      return;
    }
    this.#workloads.findSender((source) => {
      if (source !== undefined) {
        route(context, { socket, source, peer, destination });
        return;
      }
      socket.close();
      const text = proxyFailures['own-workload-unknown'].meaning;
      context.connections.refused(
        'outbound',
        peer,
        destination,
        new ProxyError('own-workload-unknown', text),
      );
    });
  }

  /** New connections go to the listeners of another process that has come after `own` ones of this process, if there are any. */
  passOn(own: number): void {
    this.#listener.steerTo(own);
  }

  /** Takes what waits already, and no more. */
  drain(): void {
    this.#listener.drain();
  }

  close(): void {
    this.#listener.close();
  }
}
