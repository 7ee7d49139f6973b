/**
 * A small HTTP/2 server without TLS on `@ambient/http`, for conformance tools: answers every request with 200 and some
 * bytes. Port 0 takes any free one; prints `ready PORT`.
 *
 * Usage: node test/interop/h2spec/server.ts [port]
 */
import type { AddressInfo, Socket } from 'node:net';
import { createServer } from 'node:net';
import type { HeaderBlock, Http2Handler, Http2Stream } from '@ambient/http';
import { DEFAULT_ABUSE_LIMITS, Http2Connection } from '@ambient/http';

type Stream = Http2Stream<Answer | undefined>;

/** What is left to send on a stream. */
interface Answer {
  left: number;
}

/** Those of a ztunnel; but h2spec takes the protocol's own frame size for granted where it exceeds it. */
const SETTINGS = {
  initialWindowSize: 4 << 20,
  connectionWindowSize: 16 << 20,
  maxFrameSize: 16_384,
  maxConcurrentStreams: 200,
  maxHeaderListSize: 64 << 10,
  headerTableSize: 4096,
};
const BODY_BYTES = 5000;
const FRAME_HEADER_BYTES = 9;
const output = Buffer.alloc(64 * 1024);

class Server implements Http2Handler<Answer | undefined> {
  readonly #socket: Socket;
  readonly #http2: Http2Connection<Answer | undefined>;

  constructor(socket: Socket) {
    this.#socket = socket.setNoDelay(true);
    this.#http2 = new Http2Connection('server', SETTINGS, this, DEFAULT_ABUSE_LIMITS, () =>
      performance.now(),
    );
    socket.on('data', (bytes: Buffer) => {
      this.#http2.receive(bytes, 0, bytes.length);
      this.#flush();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.#http2.transportClosed());
    this.#flush();
  }

  onHeaders(stream: Stream, _headers: HeaderBlock, endStream: boolean): void {
    if (endStream) this.#answer(stream);
  }

  onTrailers(stream: Stream): void {
    this.#answer(stream);
  }

  onData(stream: Stream, _bytes: Uint8Array, start: number, end: number, endStream: boolean): void {
    this.#http2.releaseConnectionWindow(end - start);
    stream.releaseWindow(end - start);
    if (endStream) this.#answer(stream);
  }

  onSendable(stream: Stream): void {
    this.#send(stream);
  }

  onConnectionError(): void {
    this.#flush();
    this.#socket.end();
  }

  onReset(): void {
    // Its answer goes with it.
  }

  onStreamClosed(stream: Stream): void {
    stream.context = undefined;
  }

  onRemoteSettings(): void {
    // Nothing depends on them here.
  }

  onPong(): void {
    // We never ask.
  }

  onGoaway(): void {
    // The client closes when it likes.
  }

  #answer(stream: Stream): void {
    stream.sendHeaders([':status', '200', 'content-length', String(BODY_BYTES)], false);
    stream.context = { left: BODY_BYTES };
    this.#send(stream);
  }

  #send(stream: Stream): void {
    const answer = stream.context;
    while (answer !== undefined && answer.left > 0) {
      const length = Math.min(stream.sendable, answer.left);
      if (length === 0) return; // onSendable follows
      this.#flush(); // headers go before their data
      const bytes = Buffer.alloc(FRAME_HEADER_BYTES + length, 'x');
      answer.left -= length;
      stream.frameData(bytes, 0, length, answer.left === 0);
      this.#socket.write(bytes);
    }
  }

  #flush(): void {
    while (this.#http2.outputLength > 0) {
      const length = this.#http2.takeOutput(output, 0);
      this.#socket.write(Buffer.from(output.subarray(0, length)));
    }
  }
}

const server = createServer((socket) => new Server(socket));
server.listen(Number(process.argv[2] ?? 0), '127.0.0.1', () => {
  console.log(`ready ${(server.address() as AddressInfo).port}`);
});
