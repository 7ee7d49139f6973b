import { EventLoopReactor, FAILED, IoBuffer, UnixSocket, WOULD_BLOCK } from '@ambient/linux';
import { Backoff, describeError, RetryTimer } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';
import type { AgentProtocolError } from './errors.ts';
import type { NodePods } from './node-pods.ts';
import { encodeHello, encodeReply, maxPacketBytes } from './zds-messages.ts';
import { ZdsSession } from './zds-session.ts';
import type { SessionOutcome } from './zds-session.ts';

export interface ZdsClientOptions {
  /** `INPOD_UDS`. */
  readonly path: string;
  readonly pods: Pick<
    NodePods,
    'add' | 'remove' | 'retain' | 'dropPending' | 'retryPending' | 'settled' | 'havePending'
  >;
  /** Whether all that the agent wants to be served is; told whenever it may have changed. */
  readonly onReady: (ready: boolean) => void;
  /** Called once: the agent breaks the protocol. The connection is closed, and no other is made. */
  readonly onFatal: (error: AgentProtocolError) => void;
  readonly clock: Clock;
  readonly log: Logger;
}

interface Connection {
  readonly socket: UnixSocket;
  readonly session: ZdsSession;
  /** A packet, or a retry, is being dealt with: the socket is not read meanwhile. */
  busy: boolean;
  /** The next attempt to serve what could not be served; requests that come before it do not put it off. */
  retryAtMs: number | undefined;
  retry: Disposable | undefined;
}

type State =
  | { readonly kind: 'stopped' }
  /** No connection; the next attempt waits for its turn. */
  | { readonly kind: 'waiting' }
  | { readonly kind: 'connected'; readonly connection: Connection };

const redialInitialMs = 20;
/** Istio's waits up to 15 s. A pod that starts waits for it when an agent has been replaced, and dialling in vain costs nothing. */
const redialMaxMs = 1000;
/** Between attempts to serve pods that could not be served. */
const retryPendingMs = 5000;
/** An agent that stays away is told of so often. */
const sayAgainMs = 15_000;

/**
 * ztunnel's side of ZDS: dials the node agent, hears from it which pods to serve, answers each request when it has taken
 * effect, and dials again when the connection is lost. Pods are served on without an agent.
 */
export class ZdsClient implements AsyncDisposable {
  readonly #options: ZdsClientOptions;
  readonly #packet = new IoBuffer(maxPacketBytes);
  readonly #redial: RetryTimer;
  #saidAtMs = Number.NEGATIVE_INFINITY;
  #reactor: EventLoopReactor | undefined;
  #state: State = { kind: 'stopped' };

  constructor(options: ZdsClientOptions) {
    this.#options = options;
    this.#redial = new RetryTimer(
      options.clock,
      new Backoff({ initialMs: redialInitialMs, maxMs: redialMaxMs }),
    );
  }

  /** Dials; without effect while running. */
  start(): void {
    if (this.#state.kind !== 'stopped') return;
    this.#reactor ??= new EventLoopReactor((error) => this.#options.log.error(describeError(error)));
    this.#state = { kind: 'waiting' };
    this.#dial();
  }

  /** Closes the connection, so that the agent gives new pods to another ztunnel. What is served stays so. */
  async stop(): Promise<void> {
    this.#redial[Symbol.dispose]();
    if (this.#state.kind === 'connected') this.#close(this.#state.connection);
    this.#state = { kind: 'stopped' };
    const reactor = this.#reactor;
    this.#reactor = undefined;
    await reactor?.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #dial(): void {
    const { path, pods, log } = this.#options;
    let socket: UnixSocket;
    try {
      socket = UnixSocket.connect(path, 'seqpacket');
    } catch (error) {
      this.#again('the node agent cannot be reached: does its pod run on this node?', error);
      return;
    }
    const connection: Connection = {
      socket,
      session: new ZdsSession(pods),
      busy: false,
      retryAtMs: undefined,
      retry: undefined,
    };
    this.#state = { kind: 'connected', connection };
    log.info('connected to the node agent', { path });
    this.#listen(connection);
    this.#send(connection, encodeHello());
  }

  #listen(connection: Connection): void {
    this.#reactor?.registerReadable(connection.socket.fd, {
      onReadiness: () => this.#receive(connection),
      onFault: (error) => this.#lost(connection, error),
    });
  }

  #receive(connection: Connection): void {
    const { socket } = connection;
    const length = socket.recv(this.#packet, 0, maxPacketBytes);
    if (length === WOULD_BLOCK) return;
    if (length === FAILED) return this.#lost(connection, socket.lastError);
    const packet = {
      bytes: this.#packet.bytes.subarray(0, length),
      descriptor: socket.takeReceived(),
      truncated: socket.truncated,
    };
    // The agent never sends an empty message: this is its end.
    if (length === 0) {
      packet.descriptor?.close();
      return this.#lost(connection, undefined);
    }
    this.#work(connection, async () => this.#conclude(connection, await connection.session.handle(packet)));
  }

  #conclude(connection: Connection, outcome: SessionOutcome): void {
    const { log, onReady, onFatal } = this.#options;
    if (!this.#holds(connection)) return;
    switch (outcome.kind) {
      case 'ok':
        this.#redial.reset();
        onReady(connection.session.settled);
        this.#send(connection, encodeReply(''));
        break;
      case 'refused':
        log.error('refused what the node agent asked for', { error: describeError(outcome.error) });
        this.#send(connection, encodeReply(outcome.error.message));
        break;
      case 'reconnect':
        this.#send(connection, encodeReply(outcome.error.message));
        this.#lost(connection, outcome.error);
        break;
      case 'fatal':
        this.#send(connection, encodeReply(outcome.error.message));
        if (!this.#holds(connection)) break;
        this.#close(connection);
        this.#state = { kind: 'stopped' };
        onReady(false);
        onFatal(outcome.error);
        break;
    }
  }

  /** Does something that takes a while; nothing else of the connection goes on meanwhile. */
  #work(connection: Connection, action: () => Promise<void>): void {
    connection.busy = true;
    this.#reactor?.unregister(connection.socket.fd);
    connection.retry?.[Symbol.dispose]();
    connection.retry = undefined;
    action()
      .catch((error: unknown) => this.#lost(connection, error))
      .finally(() => {
        connection.busy = false;
        if (!this.#holds(connection)) return;
        this.#listen(connection);
        this.#scheduleRetry(connection);
      });
  }

  #scheduleRetry(connection: Connection): void {
    const { clock, pods, onReady } = this.#options;
    if (!pods.havePending) {
      connection.retryAtMs = undefined;
      return;
    }
    const nowMs = clock.nowMs();
    connection.retryAtMs ??= nowMs + retryPendingMs;
    connection.retry = clock.setTimer(Math.max(0, connection.retryAtMs - nowMs), () =>
      this.#work(connection, async () => {
        connection.retryAtMs = undefined;
        await pods.retryPending();
        // While some still wait, whoever was ready stays so: only the agent's next request changes that.
        if (this.#holds(connection) && pods.settled) onReady(connection.session.settled);
      }),
    );
  }

  #send(connection: Connection, bytes: Uint8Array): void {
    if (!this.#holds(connection)) return;
    const { socket } = connection;
    this.#packet.bytes.set(bytes);
    const sent = socket.send(this.#packet, 0, bytes.length);
    // The agent reads each answer before it asks again, so there is always room for one.
    if (sent !== bytes.length) this.#lost(connection, sent === FAILED ? socket.lastError : undefined);
  }

  #holds(connection: Connection): boolean {
    return this.#state.kind === 'connected' && this.#state.connection === connection;
  }

  #lost(connection: Connection, error: unknown): void {
    if (!this.#holds(connection)) return;
    this.#close(connection);
    this.#state = { kind: 'waiting' };
    this.#options.onReady(false);
    this.#again('the node agent is gone: pods are served on, new ones wait for it', error);
  }

  #close(connection: Connection): void {
    connection.retry?.[Symbol.dispose]();
    connection.retry = undefined;
    if (!connection.busy) this.#reactor?.unregister(connection.socket.fd);
    connection.socket.close();
  }

  #again(what: string, error: unknown): void {
    const waitMs = this.#redial.schedule(() => this.#dial());
    const nowMs = this.#options.clock.nowMs();
    const worthSaying = waitMs === redialInitialMs || nowMs - this.#saidAtMs >= sayAgainMs;
    if (worthSaying) this.#saidAtMs = nowMs;
    this.#options.log.log(worthSaying ? 'warn' : 'debug', what, {
      path: this.#options.path,
      retry_in: `${waitMs}ms`,
      error: error === undefined ? undefined : describeError(error),
    });
  }
}
