import type { SocketAddress, SystemError, TcpSocket } from '@ambient/linux';
import { TcpListener, formatAddress } from '@ambient/linux';
import { routeRefusals } from '@ambient/mesh';
import { describeError } from '@ambient/runtime';
import type { LocalWorkloads, WorkerContext } from '../worker/context.ts';
import { CrowdedOut } from '../connections/crowded-out.ts';
import { ProxyError, proxyFailures } from '../connections/failure.ts';
import { route } from './route-connection.ts';

const BACKLOG = 1024;

/** Logs what a listener meets: shortage of descriptors, of the pod or of the process, and defects. */
export function listenerEvents(
  context: WorkerContext,
  name: string,
  direction: 'inbound' | 'outbound',
): {
  onRefused(socket: TcpSocket, peer: SocketAddress, error: Error): void;
  onAcceptPaused(error: SystemError): void;
  onAcceptResumed(): void;
  onFault(error: unknown): void;
} {
  const crowdedOut = new CrowdedOut(context, direction);
  return {
    onRefused: (socket, peer, error) => {
      crowdedOut.refused(peer, socket.originalDestination() ?? socket.localAddress(), error);
    },
    onAcceptPaused: (error) => {
      context.log.log('error', `${name}: accepting pauses`, { error: describeError(error) });
    },
    onAcceptResumed: () => {
      context.log.log('info', `${name}: accepting goes on`);
    },
    onFault: (error) => {
      context.log.log('error', `${name}: a defect ended a connection`, { error: describeError(error) });
    },
  };
}

/** Takes the connections that applications of the pod open, which redirection brings to this port. */
export class OutboundListener {
  readonly #context: WorkerContext;
  readonly #workloads: LocalWorkloads;
  readonly #listener: TcpListener;
  readonly #local: SocketAddress;

  constructor(context: WorkerContext, at: SocketAddress, workloads: LocalWorkloads) {
    this.#context = context;
    this.#workloads = workloads;
    this.#listener = new TcpListener(
      context.reactor,
      at,
      { backlog: BACKLOG, reusePort: true, ...context.dialOptions },
      {
        onAccept: (socket, peer) => {
          this.#accept(socket, peer);
        },
        ...listenerEvents(context, 'outbound', 'outbound'),
      },
    );
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
