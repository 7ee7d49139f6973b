import { EventLoopReactor, IoBuffer, UnixListener, WOULD_BLOCK } from '@ambient/linux';
import type { UnixSocket } from '@ambient/linux';
import { istio } from '@ambient/wire';

const { WorkloadRequest, WorkloadResponse } = istio.workload.zds;

/** A file descriptor number that goes along with a message. */
type Passed = number | undefined;

/** The node agent's side of ZDS with nothing behind it: accepts ztunnels, and says what a test tells it to. */
export class ScriptedAgent {
  readonly #listener: UnixListener;
  readonly #reactor: EventLoopReactor;
  readonly #arrivals = new Arrivals<AgentLink>();
  readonly #links: AgentLink[] = [];

  constructor(path: string) {
    this.#listener = new UnixListener(path, 'seqpacket', 16);
    this.#reactor = new EventLoopReactor(fail);
    this.#reactor.registerReadable(this.#listener.fd, {
      onReadiness: () => {
        const socket = this.#listener.accept();
        if (socket === undefined) return;
        const link = new AgentLink(socket, this.#reactor);
        this.#links.push(link);
        this.#arrivals.put(link);
      },
      onFault: fail,
    });
  }

  /** The next ztunnel, when it has dialled and said hello. */
  async accept(): Promise<AgentLink> {
    const link = await this.#arrivals.take();
    const hello = await link.receive();
    if (hello !== '0801') throw new Error(`hello is ${hello}`);
    return link;
  }

  async close(): Promise<void> {
    for (const link of this.#links) link.close();
    this.#reactor.unregister(this.#listener.fd);
    this.#listener.close();
    await this.#reactor.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }
}

/** One ztunnel that has dialled. */
export class AgentLink {
  readonly #socket: UnixSocket;
  readonly #reactor: EventLoopReactor;
  readonly #buffer = new IoBuffer(4096);
  readonly #arrivals = new Arrivals<string>();
  #closed = false;

  constructor(socket: UnixSocket, reactor: EventLoopReactor) {
    this.#socket = socket;
    this.#reactor = reactor;
    reactor.registerReadable(socket.fd, {
      onReadiness: () => {
        const length = socket.recv(this.#buffer, 0, this.#buffer.length);
        if (length === WOULD_BLOCK) return;
        this.#arrivals.put(length > 0 ? this.#buffer.bytes.toString('hex', 0, length) : 'end');
        if (length <= 0) this.close();
      },
      onFault: fail,
    });
  }

  /** The next packet in hexadecimal, or `end` when ztunnel has closed. */
  receive(): Promise<string> {
    return this.#arrivals.take();
  }

  /** The next reply: `ok`, the error's text, or `end`. */
  async reply(): Promise<string> {
    const hex = await this.receive();
    if (hex === 'end') return hex;
    const { ack } = WorkloadResponse.decode(Buffer.from(hex, 'hex'));
    return ack?.error === '' ? 'ok' : (ack?.error ?? 'no result');
  }

  /** Hands over pod `a/NAME` of service account `web`. */
  add(uid: string, netns: Passed, name = uid): Promise<string> {
    const workloadInfo = { name, namespace: 'a', serviceAccount: 'web' };
    return this.request({ add: { uid, workloadInfo } }, netns);
  }

  keep(uid: string): Promise<string> {
    return this.request({ keep: { uid } });
  }

  del(uid: string): Promise<string> {
    return this.request({ del: { uid } });
  }

  snapshotSent(): Promise<string> {
    return this.request({ snapshotSent: {} });
  }

  /** Sends a request. @returns the reply to it */
  request(message: istio.workload.zds.IWorkloadRequest, passed?: Passed): Promise<string> {
    return this.raw(WorkloadRequest.encode(message).finish(), passed);
  }

  raw(bytes: Uint8Array, passed?: Passed): Promise<string> {
    this.#buffer.bytes.set(bytes);
    this.#socket.send(this.#buffer, 0, bytes.length, passed);
    return this.reply();
  }

  close(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#reactor.unregister(this.#socket.fd);
    this.#socket.close();
  }
}

/** What has come and nobody has taken yet. */
class Arrivals<T> {
  readonly #items: T[] = [];
  #arrived: () => void = () => undefined;

  put(item: T): void {
    this.#items.push(item);
    this.#arrived();
  }

  async take(): Promise<T> {
    for (;;) {
      const item = this.#items.shift();
      if (item !== undefined) return item;
      await new Promise<void>((resolve) => (this.#arrived = resolve));
    }
  }
}

function fail(error: unknown): void {
  throw error as Error;
}
