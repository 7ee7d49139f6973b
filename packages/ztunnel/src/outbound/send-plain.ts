import type { SocketAddress, TcpSocket } from '@ambient/linux';
import type { Service, Workload } from '@ambient/mesh';
import { dial } from '../relay/dial.ts';
import { SocketRelay } from '../relay/socket-relay.ts';
import type { LiveConnection } from '../connections/live-connection.ts';
import type { WorkerContext } from '../worker/context.ts';
import type { OutboundCall } from './route-connection.ts';

export interface PlainTarget {
  readonly to: SocketAddress;
  /** Undefined for a destination that the mesh does not know. */
  readonly upstream: Workload | undefined;
  readonly service: Service | undefined;
}

/** Carries a connection as it is, in plain text: to a workload outside the mesh or to an unknown destination. */
export function sendPlain(context: WorkerContext, call: OutboundCall, target: PlainTarget): void {
  const { reactor, connections } = context;
  let relay: SocketRelay | undefined;
  const end = (error: Error | undefined): void => {
    connections.close(connection, error);
  };
  const connection: LiveConnection = connections.open(
    {
      direction: 'outbound',
      protocol: 'plaintext',
      reporter: 'source',
      source: call.source,
      sourcePrincipal: undefined,
      destination: target.upstream,
      destinationPrincipal: undefined,
      destinationService: target.service,
      mutualTls: false,
      sourceAddress: call.peer,
      destinationAddress: target.to,
      hboneAddress: undefined,
      originalDestination: call.destination,
      counts: {
        bytesSent: () => relay?.bytesOutward ?? 0,
        bytesReceived: () => relay?.bytesInward ?? 0,
      },
    },
    (error) => {
      if (relay !== undefined) relay.fail(error);
      else {
        dialling.cancel();
        call.socket.abort();
        end(error);
      }
    },
  );
  const dialling = dial(reactor, target.to, context.dialOptions, context.hbone.dialTimeoutMs, {
    onConnected: (far: TcpSocket) => {
      far.setNoDelay();
      if (context.keepAlive !== undefined) far.setKeepAlive(context.keepAlive);
      relay = new SocketRelay(reactor, call.socket, far, end);
      relay.start();
    },
    onFailed: (error) => {
      call.socket.abort();
      end(error);
    },
  });
}
