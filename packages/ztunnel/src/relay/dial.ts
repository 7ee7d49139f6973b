import type { DialOptions, Reactor, ReadinessHandler, SocketAddress } from '@ambient/linux';
import { ERROR, HANGUP, TcpSocket, Timer, WRITABLE, formatAddress } from '@ambient/linux';
import { ProxyError } from '../connections/failure.ts';

export interface DialOutcome {
  /**
   * Connected, and registered with the reactor: the owner has it handed over to himself (`Reactor.handOver`).
   * @param readiness what has been told of the socket and will not be told again
   */
  onConnected(socket: TcpSocket, readiness: number): void;
  onFailed(error: Error): void;
}

/** A TCP connection in the making. */
export interface Dialling {
  /** Gives it up; the outcome is not told. */
  cancel(): void;
}

class Attempt implements ReadinessHandler, Dialling {
  readonly #reactor: Reactor;
  readonly #to: SocketAddress;
  readonly #outcome: DialOutcome;
  #socket: TcpSocket | undefined;
  readonly #timer: Timer;

  constructor(reactor: Reactor, to: SocketAddress, outcome: DialOutcome, timeoutMs: number) {
    this.#reactor = reactor;
    this.#to = to;
    this.#outcome = outcome;
    this.#timer = new Timer(() => {
      const text = `${formatAddress(to)} did not accept within ${timeoutMs / 1000} s`;
      this.#fail(new ProxyError('application-timeout', text));
    });
    reactor.setTimer(this.#timer, timeoutMs);
  }

  start(options: DialOptions): void {
    try {
      this.#socket = TcpSocket.dial(this.#to, options);
      this.#reactor.register(this.#socket.fd, this);
    } catch (error) {
      this.#fail(error as Error);
    }
  }

  onReadiness(readiness: number): void {
    const socket = this.#socket;
    if (socket === undefined || (readiness & (WRITABLE | ERROR | HANGUP)) === 0) return;
    // A connection that failed is told with ERROR, always: where there is none, nothing needs to be asked.
    if ((readiness & (ERROR | HANGUP)) !== 0) {
      const error = socket.connectResult(formatAddress(this.#to));
      if (error !== undefined) {
        this.#fail(error);
        return;
      }
    }
    this.#socket = undefined;
    this.#reactor.cancelTimer(this.#timer);
    try {
      this.#outcome.onConnected(socket, readiness);
    } catch (error) {
      // A defect, told by onFault; nobody else may have the socket yet.
      if (!socket.closed) {
        this.#reactor.forget(socket.fd);
        socket.close();
      }
      throw error;
    }
  }

  onFault(error: unknown): void {
    this.#fail(error as Error);
  }

  #fail(error: Error): void {
    this.cancel();
    this.#outcome.onFailed(error);
  }

  cancel(): void {
    this.#reactor.cancelTimer(this.#timer);
    const socket = this.#socket;
    this.#socket = undefined;
    if (socket === undefined || socket.closed) return;
    this.#reactor.forget(socket.fd);
    socket.close();
  }
}

/**
 * Connects by TCP. The outcome is told once, possibly before this returns when the kernel refuses at once.
 * @param timeoutMs until the attempt is given up
 */
export function dial(
  reactor: Reactor,
  to: SocketAddress,
  options: DialOptions,
  timeoutMs: number,
  outcome: DialOutcome,
): Dialling {
  const attempt = new Attempt(reactor, to, outcome, timeoutMs);
  attempt.start(options);
  return attempt;
}
