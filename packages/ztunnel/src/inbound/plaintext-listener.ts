import type { SocketAddress, TcpSocket } from '@ambient/linux';
import type { Workload } from '@ambient/mesh';
import { authorize, guessInboundService, refusePlaintextInbound } from '@ambient/mesh';
import { ownWorkloadUnknown, ProxyError } from '../connections/failure.ts';
import { TrafficListener } from '../connections/traffic-listener.ts';
import type { LiveConnection } from '../connections/live-connection.ts';
import type { Dialling } from '../relay/dial.ts';
import { SocketRelay } from '../relay/socket-relay.ts';
import type { LocalWorkloads, WorkerContext } from '../worker/context.ts';
import { askPolicies } from './ask-policies.ts';
import { dialApplication } from './dial-application.ts';
import { deniedError } from './serve-tunnel.ts';

const BACKLOG = 1024;

/** Takes plain connections to the pod, which redirection brings here, and passes on those that the policies admit. */
export class PlaintextListener extends TrafficListener {
  readonly #workloads: LocalWorkloads;

  constructor(context: WorkerContext, at: SocketAddress, workloads: LocalWorkloads) {
    super(context, {
      at,
      backlog: BACKLOG,
      name: 'inbound plaintext',
      direction: 'inbound',
      // Who calls may be anywhere: congestion control is left to the machine.
      connections: { noDelay: true, keepAlive: context.keepAlive },
    });
    this.#workloads = workloads;
  }

  protected accept(socket: TcpSocket, peer: SocketAddress): void {
    if (this.context.captureProof.answer('inbound', socket, peer)) return;
    const destination = socket.originalDestination() ?? socket.localAddress();
    if (destination === undefined) {
      socket.close();
      return;
    }
    const refuse = (error: ProxyError): void => {
      socket.close();
      this.context.connections.refused('inbound', peer, destination, error);
    };
    const refusal = refusePlaintextInbound(destination, this.context.selfPorts);
    if (refusal !== undefined) {
      refuse(new ProxyError(refusal.reason, refusal.message));
      return;
    }
    this.#workloads.find((workload) => {
      if (workload !== undefined) passOn(this.context, socket, peer, destination, workload);
      else refuse(ownWorkloadUnknown());
    });
  }

  close(): void {
    this.listener.close();
  }
}

function passOn(
  context: WorkerContext,
  socket: TcpSocket,
  peer: SocketAddress,
  destination: SocketAddress,
  workload: Workload,
): void {
  const question = {
    principal: undefined,
    sourceIp: peer.ip,
    destinationIp: destination.ip,
    destinationPort: destination.port,
  };
  let relay: SocketRelay | undefined;
  let dialling: Dialling | undefined = undefined;
  const end = (error: Error | undefined): void => {
    context.connections.close(live, error);
  };
  const cut = (error: Error): void => {
    if (relay !== undefined) {
      relay.fail(error);
      return;
    }
    dialling?.cancel();
    if (!socket.closed) socket.abort();
    end(error);
  };
  const live: LiveConnection = context.connections.open(
    {
      direction: 'inbound',
      protocol: 'plaintext',
      reporter: 'destination',
      source: context.store.workloadByAddress(context.settings.place.network, peer.ip),
      sourcePrincipal: undefined,
      destination: workload,
      destinationPrincipal: undefined,
      destinationService: guessInboundService(
        context.store.servicesOf(workload),
        workload,
        destination.port,
        undefined,
      ),
      mutualTls: false,
      sourceAddress: peer,
      destinationAddress: destination,
      hboneAddress: undefined,
      counts: {
        bytesSent: () => relay?.bytesInward ?? 0,
        bytesReceived: () => relay?.bytesOutward ?? 0,
      },
    },
    cut,
  );
  const verdict = askPolicies(context, workload, question);
  if (!verdict.allowed) {
    cut(deniedError(verdict, 'policy-denied'));
    return;
  }
  live.recheck = () => {
    const again = authorize(context.store, context.store.workload(workload.uid) ?? workload, question);
    if (!again.allowed) cut(deniedError(again, 'policy-changed'));
  };
  dialling = dialApplication(context, {
    to: destination,
    client: peer,
    onConnected: (far) => {
      relay = new SocketRelay(context.reactor, socket, far, end);
      relay.start();
    },
    onFailed: cut,
  });
}
