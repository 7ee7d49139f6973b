import type { EventLoopReactor, UnixSocket } from '@ambient/linux';
import { FAILED, IoBuffer, WOULD_BLOCK } from '@ambient/linux';
import type { Clock } from '@ambient/runtime';
import { ZdsError } from './errors.ts';
import type { ZdsReply } from './messages.ts';
import { decodeHello, decodeReply, MAX_PACKET_BYTES } from './messages.ts';

/** One packet, made when its turn comes; undefined when there is nothing left to say by then. */
export type PreparePacket = () => { readonly bytes: Uint8Array; readonly netns?: number } | undefined;

interface Request {
  readonly prepare: PreparePacket;
  readonly settle: (reply: ZdsReply) => void;
  readonly fail: (error: ZdsError) => void;
}

type State =
  | { readonly kind: 'awaiting-hello'; readonly deadline: Disposable }
  | { readonly kind: 'idle' }
  | { readonly kind: 'awaiting-reply'; readonly request: Request; readonly deadline: Disposable }
  | { readonly kind: 'closed'; readonly error: ZdsError };

export interface ConnectionOptions {
  readonly socket: UnixSocket;
  readonly reactor: EventLoopReactor;
  readonly clock: Clock;
  /** For the hello, and for each reply; milliseconds. */
  readonly replyTimeoutMs: number;
  /** What is to be sent before all else; asked for when the hello has come. */
  readonly snapshot: () => readonly PreparePacket[];
  /** A packet of the snapshot was refused; the rest of it goes on. */
  readonly onSnapshotRefused: (reason: string) => void;
  /** Called once, whatever ended the connection; never from within the constructor. */
  readonly onClosed: (error: ZdsError) => void;
}

const OK: ZdsReply = { kind: 'ok' };
// A packet that is longer than allowed shows by its flag, one byte more of room is of no use.
const packet = new IoBuffer(MAX_PACKET_BYTES);

/**
 * One ztunnel: a hello, then requests one after the other, each answered before the next is sent. The other side never
 * speaks first. Whatever breaks these rules ends this connection and fails what it had still to send.
 */
export class ZdsConnection {
  readonly #options: ConnectionOptions;
  readonly #queue: Request[] = [];
  #state: State;

  constructor(options: ConnectionOptions) {
    this.#options = options;
    this.#state = { kind: 'awaiting-hello', deadline: this.#deadline('its hello') };
    options.reactor.registerReadable(options.socket.fd, {
      onReadiness: () => this.#receive(),
      onFault: (cause) => this.#protocolError('a message that this agent fails on', cause),
    });
  }

  get closed(): boolean {
    return this.#state.kind === 'closed';
  }

  /**
   * Sends a packet after those before it, not before the hello.
   * @returns the reply; ok without having sent anything if `prepare` had nothing to say
   * @throws ZdsError ERR_ZDS_TIMEOUT, ERR_ZDS_CLOSED, ERR_ZDS_PROTOCOL; what of it has taken effect is unknown then
   */
  request(prepare: PreparePacket): Promise<ZdsReply> {
    return new Promise((settle, fail) => {
      if (this.#state.kind === 'closed') return fail(this.#state.error);
      this.#queue.push({ prepare, settle, fail });
      this.#sendNext();
    });
  }

  close(error = new ZdsError('ERR_ZDS_CLOSED', 'the agent closes the connection')): void {
    const { socket, reactor, onClosed } = this.#options;
    const state = this.#state;
    if (state.kind === 'closed') return;
    this.#state = { kind: 'closed', error };
    if (state.kind !== 'idle') state.deadline[Symbol.dispose]();
    reactor.unregister(socket.fd);
    socket.close();
    if (state.kind === 'awaiting-reply') state.request.fail(error);
    for (const request of this.#queue.splice(0)) request.fail(error);
    onClosed(error);
  }

  #snapshotRequest(prepare: PreparePacket): Request {
    return {
      prepare,
      settle: (reply) => {
        if (reply.kind === 'refused') this.#options.onSnapshotRefused(reply.reason);
      },
      // A lost connection is told once, by `onClosed`; what else fails is this one packet.
      fail: (error) => {
        if (!this.closed) this.#options.onSnapshotRefused(error.message);
      },
    };
  }

  #sendNext(): void {
    while (this.#state.kind === 'idle') {
      const request = this.#queue.shift();
      if (request === undefined) return;
      let message: ReturnType<PreparePacket>;
      try {
        message = request.prepare();
      } catch (cause) {
        request.fail(
          cause instanceof ZdsError ? cause : new ZdsError('ERR_ZDS_PROTOCOL', String(cause), { cause }),
        );
        continue;
      }
      if (message === undefined) request.settle(OK);
      else this.#send(request, message.bytes, message.netns);
    }
  }

  #send(request: Request, bytes: Uint8Array, netns: number | undefined): void {
    const { socket } = this.#options;
    packet.bytes.set(bytes);
    const sent = socket.send(packet, 0, bytes.length, netns);
    this.#state = { kind: 'awaiting-reply', request, deadline: this.#deadline('its reply') };
    if (sent === bytes.length) return;
    // One packet is under way at a time, so the kernel's buffer is never full for an honest peer.
    const cause = sent === FAILED ? socket.lastError : undefined;
    this.close(new ZdsError('ERR_ZDS_CLOSED', 'ztunnel takes no more messages', { cause }));
  }

  #receive(): void {
    const { socket } = this.#options;
    const length = socket.recv(packet, 0, MAX_PACKET_BYTES);
    if (length === WOULD_BLOCK) return;
    if (length === 0) return this.close(new ZdsError('ERR_ZDS_CLOSED', 'ztunnel has closed the connection'));
    if (length === FAILED)
      return this.close(new ZdsError('ERR_ZDS_CLOSED', 'the connection broke', { cause: socket.lastError }));
    const stray = socket.takeReceived();
    if (stray !== undefined) {
      stray.close();
      return this.#protocolError('a descriptor that nobody asked for');
    }
    if (socket.truncated) return this.#protocolError(`a message longer than ${MAX_PACKET_BYTES} bytes`);
    this.#take(packet.bytes.subarray(0, length));
  }

  #take(bytes: Uint8Array): void {
    const state = this.#state;
    try {
      switch (state.kind) {
        case 'awaiting-hello':
          decodeHello(bytes);
          state.deadline[Symbol.dispose]();
          this.#state = { kind: 'idle' };
          this.#queue.unshift(...this.#options.snapshot().map((prepare) => this.#snapshotRequest(prepare)));
          break;
        case 'awaiting-reply': {
          const reply = decodeReply(bytes);
          state.deadline[Symbol.dispose]();
          this.#state = { kind: 'idle' };
          state.request.settle(reply);
          break;
        }
        case 'idle':
          return this.#protocolError('a message that nobody asked for');
        case 'closed':
          return;
      }
    } catch (error) {
      if (!(error instanceof ZdsError)) throw error;
      return this.close(error);
    }
    this.#sendNext();
  }

  #protocolError(what: string, cause?: unknown): void {
    this.close(new ZdsError('ERR_ZDS_PROTOCOL', `ztunnel sent ${what}`, { cause }));
  }

  #deadline(what: string): Disposable {
    const { clock, replyTimeoutMs } = this.#options;
    return clock.setTimer(replyTimeoutMs, () =>
      this.close(new ZdsError('ERR_ZDS_TIMEOUT', `ztunnel has not sent ${what} within ${replyTimeoutMs} ms`)),
    );
  }
}
