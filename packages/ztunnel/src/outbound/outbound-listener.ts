import { LOCAL_CONGESTION_CONTROL } from '@ambient/hbone';
import type { SocketAddress, TcpSocket } from '@ambient/linux';
import { formatAddress } from '@ambient/linux';
import { routeRefusals } from '@ambient/mesh';
import type { LocalWorkloads, WorkerContext } from '../worker/context.ts';
import { ownWorkloadUnknown, ProxyError } from '../connections/failure.ts';
import { TrafficListener } from '../connections/traffic-listener.ts';
import { route } from './route-connection.ts';

const BACKLOG = 1024;

/** Takes the connections that applications of the pod open, which redirection brings to this port. */
export class OutboundListener extends TrafficListener {
  readonly #workloads: LocalWorkloads;
  readonly #local: SocketAddress;

  constructor(context: WorkerContext, at: SocketAddress, workloads: LocalWorkloads) {
    super(context, {
      at,
      backlog: BACKLOG,
      name: 'outbound',
      direction: 'outbound',
      connections: {
        noDelay: true,
        keepAlive: context.keepAlive,
        congestionControl: LOCAL_CONGESTION_CONTROL,
      },
    });
    this.#workloads = workloads;
    this.#local = this.listener.localAddress();
  }

  protected accept(socket: TcpSocket, peer: SocketAddress): void {
    const context = this.context;
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
      context.connections.refused('outbound', peer, destination, ownWorkloadUnknown());
    });
  }

  close(): void {
    this.listener.close();
  }
}
