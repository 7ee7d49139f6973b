import { LOCAL_CONGESTION_CONTROL } from '@ambient/hbone';
import type { ReadinessHandler, SocketAddress, TcpSocket } from '@ambient/linux';
import { FAILED, IoBuffer, Timer, WOULD_BLOCK } from '@ambient/linux';
import type { Workload } from '@ambient/mesh';
import { describeError } from '@ambient/runtime';
import { ownWorkloadUnknown, ProxyError } from '../connections/failure.ts';
import { TrafficListener } from '../connections/traffic-listener.ts';
import type { LocalWorkloads, WorkerContext } from '../worker/context.ts';
import { route } from './route-connection.ts';
import { resolveForPod } from './socks5-names.ts';
import type { SocksDestination } from './socks5-negotiation.ts';
import { SocksNegotiation, socksReplies, socksReply } from './socks5-negotiation.ts';

const BACKLOG = 128;
/** Connections of a pod in one worker that have not said yet where to. */
const MAX_NEGOTIATING = 128;
/** An application says at once where it wants to go. */
const NEGOTIATION_MS = 10_000;
/** The longest part of a request: a hostname of 255 bytes and the port. */
const MAX_PART_BYTES = 257;

/** Of one thread, whose calls never overlap. */
const incoming = new IoBuffer(MAX_PART_BYTES);
const outgoing = new IoBuffer(16);

/** Sends what a new connection always has room for. */
function say(socket: TcpSocket, bytes: Buffer): void {
  if (bytes.length === 0) return;
  outgoing.bytes.set(bytes);
  socket.send(outgoing, 0, bytes.length);
}

/** One connection until it is known where it goes; it owns the socket until then. */
class Negotiating implements ReadinessHandler {
  readonly socket: TcpSocket;
  readonly peer: SocketAddress;
  readonly #listener: Socks5Listener;
  readonly #context: WorkerContext;
  readonly #negotiation = new SocksNegotiation();
  #part = Buffer.alloc(this.#negotiation.wanted);
  #received = 0;
  #registered = true;
  readonly #timer = new Timer(() => {
    this.#listener.refuse(this, `no request within ${NEGOTIATION_MS / 1000} s`);
  });

  constructor(listener: Socks5Listener, context: WorkerContext, socket: TcpSocket, peer: SocketAddress) {
    this.#listener = listener;
    this.#context = context;
    this.socket = socket;
    this.peer = peer;
    context.reactor.register(socket.fd, this);
    context.reactor.setTimer(this.#timer, NEGOTIATION_MS);
  }

  onReadiness(): void {
    while (this.#registered) {
      const length = this.socket.recv(incoming, 0, this.#part.length - this.#received);
      if (length === WOULD_BLOCK) return;
      if (length <= 0) {
        const why = length === FAILED ? this.socket.lastError!.message : 'it was ended';
        this.#listener.refuse(this, `no request: ${why}`);
        return;
      }
      incoming.bytes.copy(this.#part, this.#received, 0, length);
      this.#received += length;
      if (this.#received === this.#part.length) this.#step();
    }
  }

  #step(): void {
    const step = this.#negotiation.take(this.#part);
    switch (step.kind) {
      case 'read':
        say(this.socket, step.say);
        this.#part = Buffer.alloc(this.#negotiation.wanted);
        this.#received = 0;
        break;
      case 'refuse':
        say(this.socket, step.say);
        this.#listener.refuse(this, step.why);
        break;
      case 'connect':
        this.release();
        this.#listener.connect(this, step.to);
        break;
    }
  }

  onFault(error: unknown): void {
    this.#listener.refuse(this, describeError(error));
  }

  /** Reads no more: the socket is somebody else's from here on. */
  release(): void {
    if (!this.#registered) return;
    this.#registered = false;
    this.#context.reactor.unregister(this.socket.fd);
    this.#context.reactor.cancelTimer(this.#timer);
  }
}

/**
 * Takes connections for which applications ask by SOCKS5 (UNSTABLE_ENABLE_SOCKS5), and sends them where redirected ones would
 * go. Success is said before the way is found: what fails then closes the connection, as with redirection.
 */
export class Socks5Listener extends TrafficListener {
  readonly #workloads: LocalWorkloads;
  readonly #negotiating = new Set<Negotiating>();

  constructor(context: WorkerContext, at: SocketAddress, workloads: LocalWorkloads) {
    super(context, {
      at,
      backlog: BACKLOG,
      name: 'socks5',
      direction: 'outbound',
      connections: {
        noDelay: true,
        keepAlive: context.keepAlive,
        congestionControl: LOCAL_CONGESTION_CONTROL,
      },
    });
    this.#workloads = workloads;
  }

  protected accept(socket: TcpSocket, peer: SocketAddress): void {
    if (this.#negotiating.size >= MAX_NEGOTIATING) {
      socket.close();
      this.#log(peer, `${MAX_NEGOTIATING} connections have not said yet where to`);
      return;
    }
    this.#negotiating.add(new Negotiating(this, this.context, socket, peer));
  }

  /** @internal for Negotiating: it has to end. What is to be said has been. */
  refuse(negotiating: Negotiating, why: string): void {
    if (!this.#negotiating.delete(negotiating)) return;
    negotiating.release();
    negotiating.socket.close();
    this.#log(negotiating.peer, why);
  }

  #log(peer: SocketAddress, why: string): void {
    this.context.connections.refused('outbound', peer, undefined, new ProxyError('socks-request', why));
  }

  /** @internal for Negotiating: its destination is known, its socket is no longer read. */
  connect(negotiating: Negotiating, to: SocksDestination): void {
    this.#workloads.findSender((source) => {
      if (!this.#negotiating.has(negotiating)) return; // closed meanwhile
      if (source === undefined) {
        this.#fail(negotiating, socksReplies.failed, ownWorkloadUnknown());
      } else if (to.kind === 'address') this.#send(negotiating, source, { ip: to.ip, port: to.port });
      else this.#resolve(negotiating, source, to);
    });
  }

  #resolve(
    negotiating: Negotiating,
    source: Workload,
    { hostname, port }: Extract<SocksDestination, { kind: 'hostname' }>,
  ): void {
    resolveForPod(this.context, source, hostname, ({ ip, problem }) => {
      if (!this.#negotiating.has(negotiating)) return;
      if (ip !== undefined) {
        this.#send(negotiating, source, { ip, port });
        return;
      }
      const error = new ProxyError('hostname-unresolved', `${hostname} does not resolve: ${problem}`);
      this.#fail(negotiating, socksReplies.hostUnreachable, error);
    });
  }

  #fail(negotiating: Negotiating, reply: Parameters<typeof socksReply>[0], error: ProxyError): void {
    this.#negotiating.delete(negotiating);
    say(negotiating.socket, socksReply(reply));
    negotiating.socket.close();
    this.context.connections.refused('outbound', negotiating.peer, undefined, error);
  }

  #send(negotiating: Negotiating, source: Workload, destination: SocketAddress): void {
    const { socket, peer } = negotiating;
    this.#negotiating.delete(negotiating);
    say(socket, socksReply(socksReplies.succeeded));
    route(this.context, { socket, source, peer, destination });
  }

  close(): void {
    this.listener.close();
    for (const negotiating of this.#negotiating) {
      negotiating.release();
      negotiating.socket.close();
    }
    this.#negotiating.clear();
  }
}
