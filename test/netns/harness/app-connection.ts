import { once } from 'node:events';
import type { Server, Socket } from 'node:net';
import { listenInside } from '@ambient/testkit/hostile-peer';
import type { Netns } from '@ambient/testkit/lab';

const DEADLINE_MS = 8000;

/** How a connection ended, as its application saw it: `eof`, or the name of the error, as `ECONNRESET`. */
export type AppEnd = string;

/** One end of a TCP connection in the hands of a test. */
export class AppConnection {
  readonly socket: Socket;
  /** All that came. */
  received = Buffer.alloc(0);
  #end: AppEnd | undefined;
  readonly #watchers = new Set<() => void>();

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.received = Buffer.concat([this.received, bytes]);
      this.#wake();
    });
    socket.on('end', () => this.#ended('eof'));
    socket.on('error', (error: NodeJS.ErrnoException) => this.#ended(error.code ?? error.message));
    socket.on('close', () => this.#ended('closed'));
  }

  /** Undefined while the other side may still send. */
  get end(): AppEnd | undefined {
    return this.#end;
  }

  send(bytes: string | Uint8Array): void {
    this.socket.write(bytes);
  }

  /** Sends what is given, and then its end: the other side may go on. */
  finish(bytes: string | Uint8Array = ''): void {
    this.socket.end(bytes);
  }

  /** Resolves as soon as this many bytes have come in all; rejects when the connection ends before. */
  async receive(length: number, deadlineMs = DEADLINE_MS): Promise<Buffer> {
    await this.#wait(() => this.received.length >= length, `${length} bytes`, deadlineMs);
    return this.received;
  }

  /** Sends text, and resolves when the other side has echoed it behind all that came before. */
  async echo(text: string, deadlineMs = DEADLINE_MS): Promise<void> {
    const before = this.received.length;
    this.send(text);
    const all = await this.receive(before + Buffer.byteLength(text), deadlineMs);
    const back = all.toString('utf8', before);
    if (back !== text) throw new Error(`sent ${JSON.stringify(text)}, got ${JSON.stringify(back)}`);
  }

  /** Resolves with the end, past or to come. */
  async ended(deadlineMs = DEADLINE_MS): Promise<AppEnd> {
    await this.#wait(() => this.#end !== undefined, 'end', deadlineMs);
    return this.#end!;
  }

  close(): void {
    this.socket.destroy();
  }

  #ended(end: AppEnd): void {
    this.#end ??= end;
    this.#wake();
  }

  async #wait(done: () => boolean, what: string, deadlineMs: number): Promise<void> {
    const late = Promise.withResolvers<never>();
    const onLate = (): void => late.reject(new Error(`no ${what} within ${deadlineMs} ms: ${this.#state()}`));
    const deadline = AbortSignal.timeout(deadlineMs);
    deadline.addEventListener('abort', onLate);
    try {
      while (!done()) {
        if (this.#end !== undefined) throw new Error(`no ${what}: ${this.#state()}`);
        const turn = Promise.withResolvers<void>();
        this.#watchers.add(turn.resolve);
        await Promise.race([turn.promise, late.promise]).finally(() => this.#watchers.delete(turn.resolve));
      }
    } finally {
      deadline.removeEventListener('abort', onLate);
    }
  }

  #state(): string {
    return `${this.received.length} bytes came, ${this.#end === undefined ? 'it is open' : `it ended with ${this.#end}`}`;
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}

/** A TCP server in a pod, in the hands of a test. */
export class AppServer {
  readonly #server: Server;
  readonly #connections: AppConnection[] = [];
  readonly #watchers = new Set<() => void>();

  constructor(netns: Netns, port: number) {
    this.#server = listenInside(netns, port, (socket) => {
      this.#connections.push(new AppConnection(socket));
      for (const watcher of [...this.#watchers]) watcher();
    });
  }

  /** The connection of this number, counted from 1, past or to come. The test's own time limit bounds the wait. */
  accepted(count = 1): Promise<AppConnection> {
    return new Promise((resolve) => {
      const check = (): void => {
        const connection = this.#connections[count - 1];
        if (connection === undefined) return;
        this.#watchers.delete(check);
        resolve(connection);
      };
      this.#watchers.add(check);
      check();
    });
  }

  /** Cuts its connections and frees the port. */
  async close(): Promise<void> {
    for (const connection of this.#connections) connection.close();
    if (!this.#server.listening) return;
    this.#server.close();
    await once(this.#server, 'close');
  }
}
