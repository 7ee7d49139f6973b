import type { Reactor, TcpSocket } from '@ambient/linux';
import { TcpListener } from '@ambient/linux';

const fail = (error: unknown): never => {
  throw error as Error;
};

/** Listens on a port of the loopback that the kernel picks; what comes gathers in `accepted`, while the reactor turns. */
export function localListener(reactor: Reactor, accepted: TcpSocket[] = []): TcpListener {
  const listener = new TcpListener(
    reactor,
    { ip: '127.0.0.1', port: 0 },
    { backlog: 4, reusePort: false },
    {
      onAccept: (socket) => accepted.push(socket),
      onAcceptPaused: fail,
      onAcceptResumed: () => undefined,
      onFault: fail,
    },
  );
  listener.start();
  return listener;
}
