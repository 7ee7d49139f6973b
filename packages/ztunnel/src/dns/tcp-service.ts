import type { DialOptions, Reactor, SocketAddress, SystemError, TcpSocket } from '@ambient/linux';
import { TcpListener } from '@ambient/linux';
import type { Responder } from './responder.ts';
import { TcpConversation } from './tcp-conversation.ts';

const BACKLOG = 128;
/** Connections of a pod in one worker, at one address. */
const MAX_CONVERSATIONS = 128;

/** Told of what concerns no single connection. */
export interface TcpServiceEvents {
  onAcceptPaused(error: SystemError): void;
  onAcceptResumed(): void;
  onFault(error: unknown): void;
}

/** Takes questions by TCP, at one address. */
export class TcpService {
  readonly #reactor: Reactor;
  readonly #responder: Responder;
  readonly #events: TcpServiceEvents;
  readonly #listener: TcpListener;
  /** The oldest first. */
  readonly #conversations = new Set<TcpConversation>();

  /** @throws SystemError naming the address */
  constructor(
    reactor: Reactor,
    at: SocketAddress,
    options: Pick<DialOptions, 'mark' | 'namespace' | 'quota'>,
    responder: Responder,
    events: TcpServiceEvents,
  ) {
    this.#reactor = reactor;
    this.#responder = responder;
    this.#events = events;
    this.#listener = new TcpListener(
      reactor,
      at,
      { ...options, backlog: BACKLOG, reusePort: true },
      {
        ...events,
        onAccept: (socket) => {
          this.#accept(socket);
        },
      },
    );
  }

  start(): void {
    this.#listener.start();
  }

  get connectionCount(): number {
    return this.#conversations.size;
  }

  #accept(socket: TcpSocket): void {
    if (this.#conversations.size >= MAX_CONVERSATIONS && !this.#closeOldestIdle()) {
      socket.close();
      return;
    }
    const conversation = new TcpConversation(
      this.#reactor,
      socket,
      this.#responder,
      (ended) => this.#conversations.delete(ended),
      (error) => {
        this.#events.onFault(error);
      },
    );
    this.#conversations.add(conversation);
  }

  /** A server that is full may close connections that stand idle (RFC 7766 section 6.2.2). @returns whether there was one */
  #closeOldestIdle(): boolean {
    for (const conversation of this.#conversations) {
      if (!conversation.idle) continue;
      conversation.close();
      return true;
    }
    return false;
  }

  /** Takes the connections that wait already, and from all no further question; they end when the last answer is out. */
  drain(): void {
    this.#listener.drain();
    for (const conversation of [...this.#conversations]) conversation.drain();
  }

  close(): void {
    this.#listener.close();
    for (const conversation of [...this.#conversations]) conversation.close();
  }
}
