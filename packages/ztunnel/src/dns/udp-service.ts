import type { DialOptions, Reactor, ReadinessHandler, SocketAddress } from '@ambient/linux';
import { FAILED, IoBuffer, UdpSocket, WOULD_BLOCK } from '@ambient/linux';
import { ANSWER_AT, answerMemory } from './responder.ts';
import type { DnsClientLink, Responder } from './responder.ts';
import { MAX_MESSAGE_BYTES } from './message.ts';

/** Datagrams taken at once, before others have their turn. */
const DATAGRAMS_PER_TURN = 64;
/** More than a socket's buffer holds, so that a storm ends too. */
const MAX_DRAINED = 4096;

const received = new IoBuffer(MAX_MESSAGE_BYTES);

/** Takes questions by UDP, at one address. */
export class UdpService implements ReadinessHandler {
  readonly #reactor: Reactor;
  readonly #responder: Responder;
  readonly #onFault: (error: unknown) => void;
  #socket: UdpSocket | undefined;

  /** @throws SystemError naming the address */
  constructor(
    reactor: Reactor,
    at: SocketAddress,
    options: Pick<DialOptions, 'mark' | 'namespace' | 'quota'>,
    responder: Responder,
    onFault: (error: unknown) => void,
  ) {
    this.#reactor = reactor;
    this.#responder = responder;
    this.#onFault = onFault;
    this.#socket = new UdpSocket(at, { ...options, reusePort: true });
  }

  /** Begins to take questions; until then they wait in the kernel. */
  start(): void {
    if (this.#socket !== undefined) this.#reactor.registerReadable(this.#socket.fd, this);
  }

  /** The address bound: tells the port when 0 was asked for. */
  get address(): SocketAddress {
    return this.#socket!.localAddress();
  }

  onReadiness(): void {
    this.#take(DATAGRAMS_PER_TURN);
  }

  #take(most: number): void {
    for (let i = 0; i < most && this.#socket !== undefined; i++) {
      const socket = this.#socket;
      const length = socket.recv(received, 0, MAX_MESSAGE_BYTES);
      if (length === WOULD_BLOCK) return;
      // An ICMP error about an answer that nobody took: it is told here, and taken by being told.
      if (length === FAILED || socket.sender === undefined) continue;
      this.#responder.take(received.bytes.subarray(0, length), new UdpClient(socket, socket.sender));
    }
  }

  onFault(error: unknown): void {
    this.#onFault(error);
  }

  /** Leaves new questions to other sockets of the address; takes what waits already. Answers still go out. */
  drain(): void {
    this.#socket?.deafen();
    this.#take(MAX_DRAINED);
  }

  close(): void {
    if (this.#socket === undefined) return;
    this.#reactor.unregister(this.#socket.fd);
    this.#socket.close();
    this.#socket = undefined;
  }
}

class UdpClient implements DnsClientLink {
  readonly protocol = 'udp';
  readonly #socket: UdpSocket;
  readonly #address: SocketAddress;

  constructor(socket: UdpSocket, address: SocketAddress) {
    this.#socket = socket;
    this.#address = address;
  }

  reply(length: number): void {
    // What a full buffer does not take is lost, as datagrams may be; the client asks again.
    if (!this.#socket.closed) this.#socket.send(answerMemory, ANSWER_AT, length, this.#address);
  }

  ignore(): void {
    // Nothing is sent: an answer to a response could go on for ever.
  }
}
