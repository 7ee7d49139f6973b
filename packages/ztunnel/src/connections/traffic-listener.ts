import type { SocketAddress, TcpOptions, TcpSocket } from '@ambient/linux';
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
  /** What its connections begin with. */
  readonly connections?: TcpOptions;
  /** Congestion control that they have until they lose it. */
  readonly provisionalCongestionControl?: string;
}

/**
 * Listens in the pod's network namespace, beside the other workers and another process that takes over. Logs what it meets:
 * shortage of descriptors, of the pod or of the process, and defects.
 */
export abstract class TrafficListener {
  protected readonly context: WorkerContext;
  protected readonly listener: TcpListener;

  /** @throws SystemError naming the address, for example EADDRINUSE */
  constructor(context: WorkerContext, port: TrafficPort) {
    const { at, backlog, name, direction, connections, provisionalCongestionControl } = port;
    const { reactor, log, dialOptions } = context;
    const crowdedOut = new CrowdedOut(context, direction);
    this.context = context;
    this.listener = new TcpListener(
      reactor,
      at,
      { backlog, reusePort: true, connections, provisionalCongestionControl, ...dialOptions },
      {
        onAccept: (socket, peer) => {
          this.accept(socket, peer);
        },
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

  /** Owns the socket of a new connection. Not called before `start`. */
  protected abstract accept(socket: TcpSocket, peer: SocketAddress): void;

  /** Starts to accept; until then connections wait in the kernel. */
  start(): void {
    this.listener.start();
  }

  get port(): number {
    return this.listener.localAddress().port;
  }

  /** New connections go to the listeners of another process that has come after `own` ones of this process, if there are any. */
  passOn(own: number): void {
    this.listener.steerTo(own);
  }

  /** Takes what waits already, and no more. */
  drain(): void {
    this.listener.drain();
  }
}
