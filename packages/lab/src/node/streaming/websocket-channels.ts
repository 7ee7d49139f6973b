import { Readable, Writable } from 'node:stream';

import type { WebSocket } from 'ws';

import type { CommandRequest, CommandStreams } from './remote-command.ts';

/** Of remote commands: the first byte of each message. */
const commandChannel = { stdin: 0, stdout: 1, stderr: 2, error: 3, resize: 4, close: 255 } as const;

/** Channels over a WebSocket, `*.channel.k8s.io`: the first byte of a binary message is its channel. */
export class WebSocketChannels {
  readonly #socket: WebSocket;
  readonly #inputs = new Map<number, Readable>();
  readonly #gone = new AbortController();

  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.on('message', (data, isBinary) => this.#receive(data as Buffer, isBinary));
    // The end of a connection, orderly or not, is told by `close`.
    socket.on('error', () => undefined);
    socket.on('close', () => {
      for (const input of this.#inputs.values()) input.push(null);
      this.#gone.abort();
    });
  }

  get gone(): AbortSignal {
    return this.#gone.signal;
  }

  /** What comes on a channel. While it is not read, nothing is read from the connection. */
  input(channel: number): Readable {
    const input = new Readable({ read: () => this.#socket.resume() });
    this.#inputs.set(channel, input);
    return input;
  }

  output(channel: number): Writable {
    const prefix = Buffer.from([channel]);
    return new Writable({
      write: (chunk: Buffer, _, done) => {
        if (this.#socket.readyState === this.#socket.OPEN)
          this.#socket.send(Buffer.concat([prefix, chunk]), () => done());
        else done();
      },
    });
  }

  /** After what has been sent. */
  close(): void {
    this.#socket.close(1000);
  }

  #receive(data: Buffer, isBinary: boolean): void {
    if (!isBinary) {
      this.#socket.close(1003, 'channels are binary');
      return;
    }
    if (data.length === 0) return;
    const channel = data[0]!;
    if (channel === commandChannel.close && this.#socket.protocol === 'v5.channel.k8s.io') {
      this.#end(data[1]);
      return;
    }
    // A channel that nobody asked for says nothing to anybody: the size of a terminal, for one.
    const input = this.#inputs.get(channel);
    if (input === undefined || input.readableEnded || data.length === 1) return;
    if (!input.push(data.subarray(1))) this.#socket.pause();
  }

  #end(channel: number | undefined): void {
    const input = channel === undefined ? undefined : this.#inputs.get(channel);
    input?.push(null);
    if (channel !== undefined) this.#inputs.delete(channel);
  }
}

/** A remote command over channels, v4 and v5. */
export function commandStreamsOf(channels: WebSocketChannels, request: CommandRequest): CommandStreams {
  const error = channels.output(commandChannel.error);
  return {
    stdin: request.stdin ? channels.input(commandChannel.stdin) : undefined,
    stdout: request.stdout ? channels.output(commandChannel.stdout) : undefined,
    stderr: request.stderr ? channels.output(commandChannel.stderr) : undefined,
    gone: channels.gone,
    finish(status) {
      error.end(Buffer.from(JSON.stringify(status)), () => channels.close());
    },
  };
}
