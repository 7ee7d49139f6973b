import type { Reactor, ReadinessHandler, TcpSocket, TurnTask } from '@ambient/linux';
import { FAILED, IoBuffer, PEER_CLOSED, READABLE, Timer, WOULD_BLOCK, WRITABLE } from '@ambient/linux';
import type { DnsClientLink, Responder } from './responder.ts';
import { ANSWER_AT, answerMemory } from './responder.ts';

const LENGTH_BYTES = 2;
const READ_BYTES = 16 * 1024;
/** Questions of one connection that may wait for an answer; what comes after them waits in the kernel. */
const MAX_PIPELINED = 64;
/** Answers that a client has not read yet; then no further question of it is taken. */
const MAX_UNSENT_BYTES = 128 * 1024;
/** Without a whole question, an answer under way or one taken, for so long: the end (RFC 7766 section 6.2.3). */
const IDLE_MS = 10_000;

/** Questions taken at once, before others have their turn. */
const QUESTIONS_PER_TURN = 64;

const received = new IoBuffer(READ_BYTES);

/** One client's connection: questions with length prefixes, answered in whatever order (RFC 7766 section 6.2.1.1). */
export class TcpConversation implements ReadinessHandler, DnsClientLink, TurnTask {
  readonly protocol = 'tcp';
  readonly #reactor: Reactor;
  readonly #socket: TcpSocket;
  readonly #responder: Responder;
  readonly #onEnd: (conversation: TcpConversation) => void;
  readonly #onFault: (error: unknown) => void;
  readonly #idle = new Timer(() => {
    this.#onIdle();
  });
  /** What has come and not been taken: `#inputBytes` from `#inputAt`. */
  #input: Buffer = Buffer.alloc(0);
  #inputAt = 0;
  #inputBytes = 0;
  #readable = true;
  #clientEnded = false;
  #waiting = 0;
  readonly #unsent: Buffer[] = [];
  #unsentBytes = 0;
  #taking = false;
  #ending = false;
  #closed = false;

  constructor(
    reactor: Reactor,
    socket: TcpSocket,
    responder: Responder,
    onEnd: (conversation: TcpConversation) => void,
    onFault: (error: unknown) => void,
  ) {
    this.#reactor = reactor;
    this.#socket = socket;
    this.#responder = responder;
    this.#onEnd = onEnd;
    this.#onFault = onFault;
    socket.setNoDelay();
    reactor.register(socket.fd, this);
    reactor.setTimer(this.#idle, IDLE_MS);
  }

  /** No question of it waits, and no answer: it may be closed for another one's sake. */
  get idle(): boolean {
    return this.#waiting === 0 && this.#unsentBytes === 0;
  }

  onReadiness(readiness: number): void {
    if ((readiness & (READABLE | PEER_CLOSED)) !== 0) this.#readable = true;
    if ((readiness & WRITABLE) !== 0) this.#flush();
    this.#take();
  }

  get #mayTake(): boolean {
    return (
      !this.#closed && !this.#ending && this.#waiting < MAX_PIPELINED && this.#unsentBytes < MAX_UNSENT_BYTES
    );
  }

  /** Takes questions until there are none, or the client has had its share. */
  #take(): void {
    if (this.#taking || this.#closed) return; // an answer at once, to a question that is being taken
    this.#taking = true;
    let left = QUESTIONS_PER_TURN;
    while (this.#mayTake && left > 0) {
      if (this.#takeMessage()) left--;
      else if (!this.#readable || !this.#receive()) break;
    }
    this.#taking = false;
    if (left === 0) this.#reactor.inNextTurn(this);
    this.#endIfDone();
  }

  run(): void {
    this.#take();
  }

  /** @returns whether there was a whole message */
  #takeMessage(): boolean {
    if (this.#inputBytes < LENGTH_BYTES) return false;
    const start = this.#inputAt + LENGTH_BYTES;
    const length = this.#input.readUInt16BE(this.#inputAt);
    if (this.#inputBytes < LENGTH_BYTES + length) return false;
    this.#inputAt += LENGTH_BYTES + length;
    this.#inputBytes -= LENGTH_BYTES + length;
    this.#reactor.setTimer(this.#idle, IDLE_MS);
    this.#waiting++;
    this.#responder.take(this.#input.subarray(start, start + length), this);
    return true;
  }

  /** @returns whether something has come */
  #receive(): boolean {
    const length = this.#socket.recv(received, 0, READ_BYTES);
    if (length > 0) {
      this.#append(received.bytes.subarray(0, length));
      return true;
    }
    if (length === FAILED) {
      this.close();
      return false;
    }
    this.#readable = false;
    if (length !== WOULD_BLOCK) this.#clientEnded = true;
    return false;
  }

  #append(bytes: Buffer): void {
    const total = this.#inputBytes + bytes.length;
    const kept = this.#input.subarray(this.#inputAt, this.#inputAt + this.#inputBytes);
    if (total > this.#input.length - this.#inputAt) {
      // Twice what is needed, so that a client that sends byte by byte does not make a copy for each.
      const larger = total > this.#input.length ? Buffer.allocUnsafeSlow(2 * total) : this.#input;
      kept.copy(larger);
      this.#input = larger;
      this.#inputAt = 0;
    }
    bytes.copy(this.#input, this.#inputAt + this.#inputBytes);
    this.#inputBytes = total;
  }

  reply(length: number): void {
    if (this.#closed) return;
    this.#waiting--;
    this.#reactor.setTimer(this.#idle, IDLE_MS);
    this.#send(length);
    this.#take();
  }

  /** Who sends what is no question will not send better ones. */
  ignore(): void {
    this.close();
  }

  #send(length: number): void {
    const total = LENGTH_BYTES + length;
    let sent = 0;
    answerMemory.bytes.writeUInt16BE(length, ANSWER_AT - LENGTH_BYTES);
    if (this.#unsentBytes === 0) {
      const n = this.#socket.send(answerMemory, ANSWER_AT - LENGTH_BYTES, total);
      if (n === FAILED) {
        this.close();
        return;
      }
      if (n > 0) sent = n;
    }
    if (sent === total) return;
    const rest = Buffer.from(answerMemory.bytes.subarray(sent, total));
    this.#unsent.push(rest);
    this.#unsentBytes += rest.length;
  }

  #flush(): void {
    while (!this.#closed && this.#unsent.length > 0) {
      const first = this.#unsent[0]!;
      first.copy(answerMemory.bytes);
      const n = this.#socket.send(answerMemory, 0, first.length);
      if (n === WOULD_BLOCK) return;
      if (n === FAILED) {
        this.close();
        return;
      }
      this.#unsentBytes -= n;
      if (n === first.length) this.#unsent.shift();
      else this.#unsent[0] = first.subarray(n);
      this.#reactor.setTimer(this.#idle, IDLE_MS);
    }
  }

  #onIdle(): void {
    if (this.#waiting > 0 && this.#unsentBytes === 0) this.#reactor.setTimer(this.#idle, IDLE_MS);
    else this.close();
  }

  #endIfDone(): void {
    if ((this.#clientEnded || this.#ending) && this.idle) this.close();
  }

  /** Takes the questions that have come, and no more; ends when the last answer is out. */
  drain(): void {
    this.#readable = true;
    this.#take();
    this.#ending = true;
    this.#endIfDone();
  }

  onFault(error: unknown): void {
    this.close();
    this.#onFault(error);
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.cancelTimer(this.#idle);
    this.#reactor.unregister(this.#socket.fd);
    this.#socket.close();
    this.#onEnd(this);
  }
}
