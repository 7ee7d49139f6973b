import { fstatSync } from 'node:fs';
import { EventLoopReactor, IoBuffer, UnixSocket, WOULD_BLOCK } from '@ambient/linux';
import { istio } from '@ambient/wire';

const { WorkloadRequest, WorkloadResponse, ZdsHello } = istio.workload.zds;

/** One packet from the agent, as a test wants to compare it. */
export interface ReceivedRequest {
  /** `add UID NS/NAME/SA`, `keep UID`, `del UID`, `snapshot`, or `end` when the agent has closed. */
  readonly text: string;
  /** `device:inode` of the descriptor that came with it. */
  readonly file: string | undefined;
}

/** ztunnel's side of ZDS with nothing behind it: says and answers what a test tells it to. */
export class ScriptedZtunnel {
  readonly #socket: UnixSocket;
  readonly #reactor: EventLoopReactor;
  readonly #buffer = new IoBuffer(2048);
  readonly #received: ReceivedRequest[] = [];
  #arrived: () => void = () => undefined;

  constructor(path: string) {
    this.#socket = UnixSocket.connect(path, 'seqpacket');
    this.#reactor = new EventLoopReactor((error) => {
      throw error;
    });
    this.#reactor.registerReadable(this.#socket.fd, {
      onReadiness: () => this.#receive(),
      onFault: (error) => {
        throw error;
      },
    });
  }

  hello(): void {
    this.sendRaw(ZdsHello.encode({ version: 1 }).finish());
  }

  /** Answers the request that came last; without an error it is a success. */
  ack(error = ''): void {
    this.sendRaw(WorkloadResponse.encode({ ack: { error } }).finish());
  }

  sendRaw(bytes: Uint8Array, passed?: number): void {
    this.#buffer.bytes.set(bytes);
    this.#socket.send(this.#buffer, 0, bytes.length, passed);
  }

  /** The next request, when it is there. */
  async next(): Promise<ReceivedRequest> {
    while (this.#received.length === 0) await new Promise<void>((resolve) => (this.#arrived = resolve));
    return this.#received.shift()!;
  }

  /** Takes requests, each answered with success, up to and with the one whose text is `last`. */
  async ackUntil(last: string): Promise<string[]> {
    const texts: string[] = [];
    for (;;) {
      const { text } = await this.next();
      texts.push(text);
      if (text === 'end') return texts;
      this.ack();
      if (text === last) return texts;
    }
  }

  async close(): Promise<void> {
    this.#reactor.unregister(this.#socket.fd);
    this.#socket.close();
    await this.#reactor.close();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #receive(): void {
    const length = this.#socket.recv(this.#buffer, 0, this.#buffer.length);
    if (length === WOULD_BLOCK) return;
    if (length <= 0) this.#reactor.unregister(this.#socket.fd);
    using descriptor = this.#socket.takeReceived();
    const file = descriptor === undefined ? undefined : fileIdentity(descriptor.fd);
    const text = length <= 0 ? 'end' : describe(this.#buffer.bytes.subarray(0, length));
    this.#received.push({ text, file });
    this.#arrived();
  }
}

/** `device:inode`, equal for two descriptors of one file. */
export function fileIdentity(fd: number): string {
  const { dev, ino } = fstatSync(fd, { bigint: true });
  return `${dev}:${ino}`;
}

function describe(bytes: Uint8Array): string {
  const { add, keep, del, snapshotSent } = WorkloadRequest.decode(bytes);
  if (add) {
    const info = add.workloadInfo;
    return `add ${add.uid} ${info?.namespace}/${info?.name}/${info?.serviceAccount}`;
  }
  if (keep) return `keep ${keep.uid}`;
  if (del) return `del ${del.uid}`;
  return snapshotSent ? 'snapshot' : 'nothing';
}
