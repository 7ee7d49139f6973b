import type { Reactor, ReadinessHandler, TcpSocket, TurnTask } from '@ambient/linux';
import { ERROR, FAILED, HANGUP, IoBuffer, PEER_CLOSED, READABLE, SplicePipe, WRITABLE } from '@ambient/linux';
import { ByteFifo } from './byte-fifo.ts';

const QUANTUM_BYTES = 256 * 1024;
/** A direction that has carried this much is bulk: from here on the kernel moves its bytes by splice(2). */
const SPLICE_AFTER_BYTES = 1024 * 1024;

/** One per thread: what was read is sent or put aside before the next read. */
const copyBuffer = new IoBuffer(QUANTUM_BYTES);

/** One direction of a relay between two sockets. */
class Flow implements TurnTask {
  readonly #relay: SocketRelay;
  readonly #reactor: Reactor;
  readonly from: TcpSocket;
  readonly to: TcpSocket;
  readonly #aside = new ByteFifo();
  #pipe: SplicePipe | undefined;
  #spliceAfterBytes = SPLICE_AFTER_BYTES;
  #deferred = false;
  readable = true;
  hungUp = false;
  ended = false;
  /** The end has been passed on. */
  closed = false;
  bytes = 0;

  constructor(relay: SocketRelay, reactor: Reactor, from: TcpSocket, to: TcpSocket) {
    this.#relay = relay;
    this.#reactor = reactor;
    this.from = from;
    this.to = to;
  }

  run(): void {
    this.#deferred = false;
    this.pump();
  }

  onFault(error: unknown): void {
    this.#relay.fail(error as Error);
  }

  get #held(): number {
    return this.#aside.length + (this.#pipe?.buffered ?? 0);
  }

  pump(): void {
    if (this.#deferred) return;
    let budget = QUANTUM_BYTES * 2;
    while (!this.#relay.done && !this.closed) {
      if (this.#held > 0 && !this.#drain()) return;
      if (this.ended) {
        this.closed = true;
        this.to.shutdownWrite();
        this.#relay.onFlowClosed();
        return;
      }
      if (!this.readable) return;
      if (budget <= 0 || (this.#reactor.shareUsed && budget < QUANTUM_BYTES * 2)) {
        this.#deferred = true;
        this.#reactor.inNextTurn(this);
        return;
      }
      budget -= this.bytes >= this.#spliceAfterBytes ? this.#splice() : this.#copy();
    }
  }

  /** @returns true when nothing is held back any more */
  #drain(): boolean {
    const n =
      this.#aside.length > 0
        ? this.#aside.drainTo(this.to, (sent) => {
            this.bytes += sent;
          })
        : this.#drainPipe();
    if (n === FAILED) this.#relay.fail(this.#pipe?.lastError ?? this.to.lastError!);
    return this.#held === 0;
  }

  /** Until the pipe is empty or the socket says that it is full: a short splice need not mean that. */
  #drainPipe(): number {
    const pipe = this.#pipe!;
    let n = 0;
    while (pipe.buffered > 0) {
      n = pipe.drain(this.to);
      if (n <= 0) return n;
      this.bytes += n;
    }
    return n;
  }

  #copy(): number {
    const n = this.from.recv(copyBuffer, 0, copyBuffer.length);
    if (n <= 0) return this.#ended(n, this.from.lastError);
    if (n < copyBuffer.length && !this.hungUp) this.readable = false;
    const sent = this.to.send(copyBuffer, 0, n);
    if (sent === FAILED) {
      this.#relay.fail(this.to.lastError!);
      return n;
    }
    if (sent > 0) this.bytes += sent;
    if (sent < n) this.#aside.append(copyBuffer, Math.max(0, sent), n);
    return n;
  }

  #splice(): number {
    if (this.#pipe === undefined) {
      try {
        this.#pipe = new SplicePipe(this.to.quota);
      } catch {
        this.#spliceAfterBytes = Infinity; // out of descriptors: copying needs none
        return this.#copy();
      }
    }
    const n = this.#pipe.fill(this.from, QUANTUM_BYTES);
    return n > 0 ? n : this.#ended(n, this.#pipe.lastError);
  }

  #ended(answer: number, error: Error | undefined): number {
    if (answer === 0) this.ended = true;
    else if (answer === FAILED) this.#relay.fail(error!);
    this.readable = false;
    return 0;
  }

  dispose(): void {
    this.#aside.clear();
    this.#pipe?.close();
  }
}

/** Carries bytes between two plain sockets, each direction with its own end. Owns both sockets. */
export class SocketRelay {
  readonly #reactor: Reactor;
  readonly #onEnd: (error: Error | undefined) => void;
  readonly #outward: Flow;
  readonly #inward: Flow;
  done = false;

  /**
   * @param near the side that connected to us; not registered with the reactor yet
   * @param far the side that we dialled; connected, and registered by who dialled
   * @param onEnd told once, when both sockets are closed; undefined after an orderly end
   */
  constructor(reactor: Reactor, near: TcpSocket, far: TcpSocket, onEnd: (error: Error | undefined) => void) {
    this.#reactor = reactor;
    this.#onEnd = onEnd;
    this.#outward = new Flow(this, reactor, near, far);
    this.#inward = new Flow(this, reactor, far, near);
  }

  start(): void {
    try {
      this.#reactor.register(this.#outward.from.fd, this.#handlerOf(this.#outward, this.#inward));
      this.#reactor.handOver(this.#inward.from.fd, this.#handlerOf(this.#inward, this.#outward));
    } catch (error) {
      this.fail(error as Error);
      return;
    }
    this.#outward.pump();
    this.#inward.pump();
  }

  /** Bytes from the near side to the far side. */
  get bytesOutward(): number {
    return this.#outward.bytes;
  }

  /** Bytes from the far side to the near side. */
  get bytesInward(): number {
    return this.#inward.bytes;
  }

  #handlerOf(reading: Flow, writing: Flow): ReadinessHandler {
    return {
      onReadiness: (readiness) => {
        if (this.done) return;
        if ((readiness & WRITABLE) !== 0) writing.pump();
        if ((readiness & (READABLE | PEER_CLOSED | ERROR | HANGUP)) !== 0) {
          reading.readable = true;
          if ((readiness & (PEER_CLOSED | ERROR | HANGUP)) !== 0) reading.hungUp = true;
          reading.pump();
        }
        // Once this side has ended its half nothing is read from it, and no read will tell of a reset.
        if ((readiness & (ERROR | HANGUP)) !== 0 && reading.ended) this.#failIfBroken(reading.from);
      },
      onFault: (error) => {
        this.fail(error as Error);
      },
    };
  }

  #failIfBroken(socket: TcpSocket): void {
    if (this.done) return;
    const error = socket.takeError();
    if (error !== undefined) this.fail(error);
  }

  /** @internal */
  onFlowClosed(): void {
    if (this.#outward.closed && this.#inward.closed) this.#finish(undefined, false);
  }

  /** Cuts both sides by reset. */
  fail(error: Error): void {
    this.#finish(error, true);
  }

  #finish(error: Error | undefined, abort: boolean): void {
    if (this.done) return;
    this.done = true;
    for (const flow of [this.#outward, this.#inward]) {
      flow.dispose();
      if (flow.from.closed) continue;
      this.#reactor.forget(flow.from.fd);
      if (abort) flow.from.abort();
      else flow.from.close();
    }
    this.#onEnd(error);
  }
}
