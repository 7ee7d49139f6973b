import { LOCAL_CONGESTION_CONTROL } from '@ambient/hbone';
import type { SocketAddress, TcpSocket } from '@ambient/linux';
import { describeError } from '@ambient/runtime';
import { ProxyError } from '../connections/failure.ts';
import type { Dialling } from '../relay/dial.ts';
import { dial } from '../relay/dial.ts';
import type { WorkerContext } from '../worker/context.ts';

export interface ApplicationDial {
  readonly to: SocketAddress;
  /** The original client, whose address the application is to see. */
  readonly client: SocketAddress;
  /** As `DialOutcome.onConnected`. */
  onConnected(socket: TcpSocket, readiness: number): void;
  /** The application does not accept: a ProxyError with the remedy. */
  onFailed(error: Error): void;
}

/** Each kind of trouble with spoofing is told once per worker, not once per connection. */
let spoofingWarned = false;

/**
 * Connects to the application in the pod, from the client's own address where that is possible (ENABLE_ORIG_SRC), so
 * that the application sees who calls.
 */
export function dialApplication(context: WorkerContext, request: ApplicationDial): Dialling {
  const { to, client } = request;
  const mode = context.settings.socket.originalSource;
  // A pod that calls itself: from its own address to its own address nothing needs to be spoofed.
  const spoof = mode !== 'off' && client.ip !== to.ip && client.ip.includes(':') === to.ip.includes(':');
  const outcome = {
    onConnected: (socket: TcpSocket, readiness: number): void => {
      socket.setNoDelay();
      if (context.keepAlive !== undefined) socket.setKeepAlive(context.keepAlive);
      request.onConnected(socket, readiness);
    },
    onFailed: (error: Error): void => {
      if (error instanceof ProxyError) request.onFailed(error);
      else request.onFailed(new ProxyError('application-unreachable', error.message, { cause: error }));
    },
  };
  const timeoutMs = context.hbone.dialTimeoutMs;
  const options = { ...context.dialOptions, congestionControl: LOCAL_CONGESTION_CONTROL };
  if (!spoof) return dial(context.reactor, to, options, timeoutMs, outcome);

  let attempt: Dialling | undefined;
  let fellBack = false;
  const fallBack = (error: Error): void => {
    fellBack = true;
    if (mode === 'required') {
      const text = `cannot connect from the client's address ${client.ip}, which ENABLE_ORIG_SRC=true requires`;
      request.onFailed(new ProxyError('spoofing-required', text, { cause: error }));
      return;
    }
    if (!spoofingWarned) {
      spoofingWarned = true;
      context.log.log('warn', "applications see the proxy's address instead of the client's", {
        error: describeError(error),
      });
    }
    attempt = dial(context.reactor, to, options, timeoutMs, outcome);
  };
  const first = dial(
    context.reactor,
    to,
    { ...options, bind: { ip: client.ip, port: 0 }, transparent: true },
    timeoutMs,
    {
      onConnected: outcome.onConnected,
      onFailed: (error) => {
        // Refusals of the socket's options or of the address, not of the application.
        if ('syscall' in error && (error.syscall === 'setsockopt' || error.syscall === 'bind'))
          fallBack(error);
        else outcome.onFailed(error);
      },
    },
  );
  return {
    cancel: () => {
      if (fellBack) attempt?.cancel();
      else first.cancel();
    },
  };
}
