import type { SocketAddress, TcpSocket } from '@ambient/linux';
import { TcpListener } from '@ambient/linux';
import { describeError } from '@ambient/runtime';
import type { WorkerContext } from '../worker/context.ts';
import { CrowdedOut } from './crowded-out.ts';

/** A port where a pod's traffic is taken. */
export interface TrafficPort {
  readonly at: SocketAddress;
  /** Connections that wait in the kernel. */
  readonly backlog: number;
  /** In the log. */
  readonly name: string;
  readonly direction: 'inbound' | 'outbound';
}

/**
 * Listens in the pod's network namespace, beside the other workers and another process that takes over. Logs what it meets:
 * shortage of descriptors, of the pod or of the process, and defects.
 *
 * @throws SystemError naming the address, for example EADDRINUSE
 */
export function listenForTraffic(
  context: WorkerContext,
  { at, backlog, name, direction }: TrafficPort,
  onAccept: (socket: TcpSocket, peer: SocketAddress) => void,
): TcpListener {
  const { reactor, log, dialOptions } = context;
  const crowdedOut = new CrowdedOut(context, direction);
  return new TcpListener(
    reactor,
    at,
    { backlog, reusePort: true, ...dialOptions },
    {
      onAccept,
      onRefused: (socket, peer, error) => {
        crowdedOut.refused(peer, socket.originalDestination() ?? socket.localAddress(), error);
      },
      onAcceptPaused: (error) => {
        log.log('error', `${name}: accepting pauses`, { error: describeError(error) });
      },
      onAcceptResumed: () => {
        log.log('info', `${name}: accepting goes on`);
      },
      onFault: (error) => {
        log.log('error', `${name}: a defect ended a connection`, { error: describeError(error) });
      },
    },
  );
}
