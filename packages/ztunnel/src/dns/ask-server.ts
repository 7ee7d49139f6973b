import { randomFillSync } from 'node:crypto';
import type { DialOptions, Reactor, ReadinessHandler, SocketAddress } from '@ambient/linux';
import { FAILED, IoBuffer, TcpSocket, UdpSocket, WOULD_BLOCK, WRITABLE, formatAddress } from '@ambient/linux';
import type { Attempt, AskServer, AttemptHandler } from './forwarded-query.ts';
import { HEADER_BYTES, MAX_MESSAGE_BYTES, answers } from './message.ts';

const LENGTH_BYTES = 2;
const IDS_AT_ONCE = 1024;

/** Memory for what goes to servers and comes from them: of one thread, whose calls never overlap. */
const outgoing = new IoBuffer(LENGTH_BYTES + MAX_MESSAGE_BYTES);
const incoming = new IoBuffer(LENGTH_BYTES + MAX_MESSAGE_BYTES);

const ids = new Uint16Array(IDS_AT_ONCE);
let nextId = IDS_AT_ONCE;

/** An id that nobody can guess (RFC 5452 section 9.2). */
function unguessableId(): number {
  if (nextId === IDS_AT_ONCE) {
    randomFillSync(ids);
    nextId = 0;
  }
  return ids[nextId++]!;
}

/** The server has ended a conversation by TCP without an answer, or has answered something else. */
class NoAnswerError extends Error {
  readonly code = 'DNS_NO_ANSWER';
  constructor(server: SocketAddress) {
    super(`${formatAddress(server)} closed the connection without an answer`);
    this.name = 'NoAnswerError';
  }
}

/**
 * Asks servers by sockets that `options` places and marks. Each question has a socket, and with it a random port, and a random
 * id of its own; it takes an answer from the server's address alone (RFC 5452).
 */
export function askByNetwork(
  reactor: Reactor,
  options: Pick<DialOptions, 'mark' | 'namespace' | 'quota'>,
): AskServer {
  return (server, protocol, message, questionEnd, handler) => {
    const question: Question = { id: unguessableId(), message, questionEnd, server };
    return protocol === 'udp'
      ? new UdpAttempt(reactor, options, question, handler)
      : new TcpAttempt(reactor, options, question, handler);
  };
}

interface Question {
  readonly id: number;
  readonly message: Buffer;
  readonly questionEnd: number;
  readonly server: SocketAddress;
}

function isAnswer({ id, message, questionEnd }: Question, answer: Buffer): boolean {
  return answers(answer, answer.length, id, message.subarray(HEADER_BYTES, questionEnd));
}

function writeMessage({ id, message }: Question, at: number): void {
  message.copy(outgoing.bytes, at);
  outgoing.bytes.writeUInt16BE(id, at);
}

class UdpAttempt implements Attempt, ReadinessHandler {
  readonly #reactor: Reactor;
  readonly #question: Question;
  readonly #handler: AttemptHandler;
  #socket: UdpSocket | undefined;

  constructor(
    reactor: Reactor,
    options: Pick<DialOptions, 'mark' | 'namespace' | 'quota'>,
    question: Question,
    handler: AttemptHandler,
  ) {
    this.#reactor = reactor;
    this.#question = question;
    this.#handler = handler;
    try {
      const socket = (this.#socket = UdpSocket.connected(question.server, options));
      reactor.registerReadable(socket.fd, this);
      writeMessage(question, 0);
      // A full socket buffer loses the datagram, as the network might: it is sent again.
      if (socket.sendConnected(outgoing, 0, question.message.length) === FAILED) throw socket.lastError!;
    } catch (error) {
      this.onFault(error);
    }
  }

  onReadiness(): void {
    // The answer ends the loop, as does the last datagram; a forger may go on for as long as the kernel lets him queue.
    while (this.#socket !== undefined) {
      const length = this.#socket.recvConnected(incoming, 0, MAX_MESSAGE_BYTES);
      if (length === WOULD_BLOCK) return;
      if (length === FAILED) {
        this.onFault(this.#socket.lastError);
        return;
      }
      const answer = incoming.bytes.subarray(0, length);
      if (!isAnswer(this.#question, answer)) continue;
      this.close();
      this.#handler.onAnswer(answer);
    }
  }

  onFault(error: unknown): void {
    this.close();
    this.#handler.onFailure(error as Error);
  }

  close(): void {
    if (this.#socket === undefined) return;
    this.#reactor.unregister(this.#socket.fd);
    this.#socket.close();
    this.#socket = undefined;
  }
}

class TcpAttempt implements Attempt, ReadinessHandler {
  readonly #reactor: Reactor;
  readonly #question: Question;
  readonly #handler: AttemptHandler;
  #socket: TcpSocket | undefined;
  #connected = false;
  #sent = 0;
  /** Length prefix and answer, as far as they have come; sized when the prefix has. */
  #answer = Buffer.alloc(LENGTH_BYTES);
  #received = 0;

  constructor(
    reactor: Reactor,
    options: Pick<DialOptions, 'mark' | 'namespace' | 'quota'>,
    question: Question,
    handler: AttemptHandler,
  ) {
    this.#reactor = reactor;
    this.#question = question;
    this.#handler = handler;
    try {
      this.#socket = TcpSocket.dial(question.server, options);
      reactor.register(this.#socket.fd, this);
    } catch (error) {
      this.onFault(error);
    }
  }

  onReadiness(readiness: number): void {
    const socket = this.#socket!;
    if (!this.#connected) {
      const error = socket.connectResult(formatAddress(this.#question.server));
      if (error !== undefined) {
        this.onFault(error);
        return;
      }
      if ((readiness & WRITABLE) === 0) return;
      this.#connected = true;
    }
    if (this.#send(socket)) this.#receive(socket);
  }

  /** @returns false if the attempt is over */
  #send(socket: TcpSocket): boolean {
    const { message } = this.#question;
    const total = LENGTH_BYTES + message.length;
    if (this.#sent === total) return true;
    outgoing.bytes.writeUInt16BE(message.length, 0);
    writeMessage(this.#question, LENGTH_BYTES);
    while (this.#sent < total) {
      const sent = socket.send(outgoing, this.#sent, total - this.#sent);
      if (sent === WOULD_BLOCK) return true;
      if (sent === FAILED) {
        this.onFault(socket.lastError);
        return false;
      }
      this.#sent += sent;
    }
    return true;
  }

  #receive(socket: TcpSocket): void {
    for (;;) {
      const length = socket.recv(incoming, 0, this.#answer.length - this.#received);
      if (length === WOULD_BLOCK) return;
      if (length <= 0) {
        this.onFault(length === FAILED ? socket.lastError : new NoAnswerError(this.#question.server));
        return;
      }
      incoming.bytes.copy(this.#answer, this.#received, 0, length);
      this.#received += length;
      if (this.#received < this.#answer.length) continue;
      if (this.#received === LENGTH_BYTES) {
        const total = LENGTH_BYTES + this.#answer.readUInt16BE(0);
        this.#answer = Buffer.concat([this.#answer], total);
        if (total > LENGTH_BYTES) continue;
      }
      const answer = this.#answer.subarray(LENGTH_BYTES);
      if (!isAnswer(this.#question, answer)) {
        this.onFault(new NoAnswerError(this.#question.server));
        return;
      }
      this.close();
      this.#handler.onAnswer(answer);
      return;
    }
  }

  onFault(error: unknown): void {
    this.close();
    this.#handler.onFailure(error as Error);
  }

  close(): void {
    if (this.#socket === undefined) return;
    this.#reactor.unregister(this.#socket.fd);
    this.#socket.close();
    this.#socket = undefined;
  }
}
