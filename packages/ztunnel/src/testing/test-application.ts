import type { ListenOptions, Reactor, ReadinessHandler, SocketAddress, TcpSocket } from '@ambient/linux';
import { FAILED, IoBuffer, TcpListener } from '@ambient/linux';

const buffer = new IoBuffer(256 * 1024);

function raise(error: unknown): never {
  throw error as Error;
}

/** The far end of a connection of an application: sends a pattern, remembers what it reads. */
export class TestApplication implements ReadinessHandler {
  readonly #reactor: Reactor;
  readonly socket: TcpSocket;
  received = Buffer.alloc(0);
  receivedBytes = 0;
  /** The pattern has been right so far: byte i of the stream is the low bits of i. */
  patternHolds = true;
  keep = true;
  /** Set to false to stop reading; `resume` goes on. */
  reading = true;
  ended = false;
  failed = false;
  sent = 0;
  #toSend = 0;
  #endAfter = false;

  constructor(reactor: Reactor, socket: TcpSocket) {
    this.#reactor = reactor;
    this.socket = socket;
    reactor.register(socket.fd, this);
  }

  onReadiness(): void {
    this.#write();
    if (this.reading) this.#read();
  }

  onFault(error: unknown): void {
    raise(error);
  }

  send(text: string): void {
    const length = buffer.bytes.write(text);
    const n = this.socket.send(buffer, 0, length);
    if (n !== length) throw new Error(`the socket took ${n} of ${length} bytes`);
  }

  sendPattern(bytes: number, end: boolean): void {
    this.#toSend += bytes;
    this.#endAfter = end;
    this.#write();
  }

  #write(): void {
    while (this.#toSend > 0 && !this.socket.closed) {
      const length = Math.min(this.#toSend, buffer.length);
      for (let i = 0; i < length; i++) buffer.bytes[i] = (this.sent + i) & 0xff;
      const n = this.socket.send(buffer, 0, length);
      if (n === FAILED) this.failed = true;
      if (n < 0) return;
      this.sent += n;
      this.#toSend -= n;
    }
    if (!this.#endAfter) return;
    this.#endAfter = false;
    this.socket.shutdownWrite();
  }

  resume(): void {
    this.reading = true;
    this.#read();
  }

  #read(): void {
    while (!this.socket.closed && !this.ended && !this.failed) {
      const n = this.socket.recv(buffer, 0, buffer.length);
      if (n === 0) this.ended = true;
      else if (n === FAILED) this.failed = true;
      if (n <= 0) return;
      for (let i = 0; i < n && this.patternHolds; i++)
        this.patternHolds = buffer.bytes[i] === ((this.receivedBytes + i) & 0xff);
      this.receivedBytes += n;
      if (this.keep) this.received = Buffer.concat([this.received, buffer.bytes.subarray(0, n)]);
    }
  }

  close(): void {
    if (this.socket.closed) return;
    this.#reactor.unregister(this.socket.fd);
    this.socket.close();
  }

  /** Ends by a TCP reset. */
  abort(): void {
    if (this.socket.closed) return;
    this.#reactor.unregister(this.socket.fd);
    this.socket.abort();
  }
}

/** Accepts connections as an application does. */
export class TestApplicationServer {
  readonly address: SocketAddress;
  readonly accepted: TestApplication[] = [];
  readonly #listener: TcpListener;

  constructor(reactor: Reactor, place: Pick<ListenOptions, 'namespace'> & { ip?: string } = {}) {
    this.#listener = new TcpListener(
      reactor,
      { ip: place.ip ?? '127.0.0.1', port: 0 },
      { backlog: 64, reusePort: false, namespace: place.namespace },
      {
        onAccept: (socket) => this.accepted.push(new TestApplication(reactor, socket)),
        onAcceptPaused: raise,
        onAcceptResumed: () => undefined,
        onFault: raise,
      },
    );
    this.address = this.#listener.localAddress();
    this.#listener.start();
  }

  close(): void {
    this.#listener.close();
    for (const application of this.accepted) application.close();
  }
}
