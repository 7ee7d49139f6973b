import { EventEmitter } from 'node:events';
import type { Duplex } from 'node:stream';

import {
  dataHead,
  FrameReader,
  goAway,
  ping,
  resetStatus,
  rstStream,
  SpdyProtocolError,
  synReply,
  windowUpdate,
} from './frames.ts';
import type { SpdyFrame } from './frames.ts';
import { HeaderInflater, HeaderStorer } from './header-block.ts';
import { SpdyStream } from './spdy-stream.ts';

/** kubectl opens five for a command and two for each forwarded connection. */
const maxStreams = 512;
/** Pieces that data is sent in, so that streams take turns. */
const maxDataBytes = 32 * 1024;

interface Events {
  /** A stream that the client opened; it has been accepted. Whoever takes it destroys it. */
  stream: [stream: SpdyStream];
  /** The connection has ended; every stream is destroyed. The error is what the peer, or the network, did wrong. */
  close: [error: Error | undefined];
}

/**
 * The server's side of one SPDY/3.1 connection. It owns the transport below and the streams in it.
 *
 * Go's clients know no flow control: they take no notice of windows and never open one. So this side sends as much as the
 * transport takes, says what it has consumed, and while a stream is full reads nothing from the connection.
 */
export class SpdyConnection extends EventEmitter<Events> {
  readonly #transport: Duplex;
  readonly #reader = new FrameReader();
  readonly #inflater = new HeaderInflater();
  readonly #storer = new HeaderStorer();
  readonly #streams = new Map<number, SpdyStream>();
  #lastStreamId = 0;
  #consumed = 0;
  #closed = false;

  /** @param head what has already been read from the transport */
  constructor(transport: Duplex, head: Buffer = Buffer.alloc(0)) {
    super();
    this.#transport = transport;
    transport.on('error', (error) => this.#finish(error));
    transport.on('close', () => this.#finish(undefined));
    if (head.length > 0) transport.unshift(head);
  }

  /** Begins to read; streams are told from now on. */
  start(): void {
    void this.#read();
  }

  get streamCount(): number {
    return this.#streams.size;
  }

  /** Says goodbye after what has been written, and ends. */
  end(): void {
    if (this.#closed) return;
    this.#send(goAway(this.#lastStreamId, 0));
    this.#transport.end();
  }

  /** Cuts everything. */
  destroy(): void {
    this.#finish(undefined);
  }

  async #read(): Promise<void> {
    try {
      const chunks = this.#transport.iterator({ destroyOnReturn: false }) as AsyncIterable<Buffer>;
      for await (const chunk of chunks)
        for (const frame of this.#reader.push(chunk)) {
          await this.#take(frame);
          if (this.#closed) return;
        }
      this.#finish(undefined);
    } catch (error) {
      if (error instanceof SpdyProtocolError && !this.#closed) this.#send(goAway(this.#lastStreamId, 1));
      this.#finish(error as Error);
    }
  }

  async #take(frame: SpdyFrame): Promise<void> {
    switch (frame.kind) {
      case 'syn-stream':
        await this.#open(frame);
        return;
      case 'data':
        await this.#receive(frame);
        return;
      case 'syn-reply':
      case 'headers':
        // The compression has to see them; neither tells a server of Kubernetes anything.
        await this.#inflater.next(frame.headerBlock);
        if (frame.fin) this.#streams.get(frame.streamId)?.receiveEnd();
        return;
      case 'rst-stream':
        this.#streams.get(frame.streamId)?.receiveReset();
        return;
      case 'ping':
        // Those of clients are odd (section 2.6.5); even ones answer what was never asked.
        if (frame.id % 2 === 1) this.#send(ping(frame.id));
        return;
      case 'go-away':
      case 'window-update':
      case 'ignored':
        return;
    }
  }

  async #open(frame: Extract<SpdyFrame, { kind: 'syn-stream' }>): Promise<void> {
    const { streamId, fin, unidirectional } = frame;
    const headers = await this.#inflater.next(frame.headerBlock);
    if (streamId % 2 === 0 || streamId <= this.#lastStreamId)
      throw new SpdyProtocolError(`stream ${streamId} after stream ${this.#lastStreamId}`);
    this.#lastStreamId = streamId;
    if (this.#streams.size >= maxStreams) {
      this.#send(rstStream(streamId, resetStatus.refusedStream));
      return;
    }
    const stream = new SpdyStream(streamId, headers, {
      write: (bytes, last, done) => this.#sendData(streamId, bytes, last, done),
      reset: () => this.#send(rstStream(streamId, resetStatus.cancel)),
      consumed: (bytes) => this.#tellConsumed(streamId, bytes),
      gone: () => this.#streams.delete(streamId),
    });
    this.#streams.set(streamId, stream);
    if (!unidirectional) this.#send(synReply(streamId, this.#storer.next([])));
    this.emit('stream', stream);
    if (fin) stream.receiveEnd();
  }

  async #receive({ streamId, bytes, fin }: Extract<SpdyFrame, { kind: 'data' }>): Promise<void> {
    const stream = this.#streams.get(streamId);
    if (stream === undefined) {
      if (streamId > this.#lastStreamId || streamId % 2 === 0)
        throw new SpdyProtocolError(`data for stream ${streamId}, which was never opened`);
      // Its stream has been reset meanwhile.
      return;
    }
    if (bytes.length > 0) await stream.receive(bytes);
    if (fin) stream.receiveEnd();
  }

  #tellConsumed(streamId: number, bytes: number): void {
    if (this.#streams.has(streamId)) this.#send(windowUpdate(streamId, bytes));
    this.#consumed += bytes;
    if (this.#consumed < maxDataBytes) return;
    this.#send(windowUpdate(0, this.#consumed));
    this.#consumed = 0;
  }

  #sendData(streamId: number, bytes: Buffer, last: boolean, done: (error?: Error | null) => void): void {
    if (this.#closed) {
      done(new Error('the SPDY connection has ended'));
      return;
    }
    let at = 0;
    do {
      const part = bytes.subarray(at, at + maxDataBytes);
      at += part.length;
      const final = at >= bytes.length;
      const head = dataHead(streamId, part.length, last && final);
      if (part.length > 0) this.#transport.write(head);
      this.#transport.write(part.length > 0 ? part : head, final ? done : undefined);
    } while (at < bytes.length);
  }

  #send(frame: Buffer): void {
    if (!this.#closed && this.#transport.writable) this.#transport.write(frame);
  }

  #finish(error: Error | undefined): void {
    if (this.#closed) return;
    this.#closed = true;
    for (const stream of [...this.#streams.values()]) stream.receiveReset();
    this.#streams.clear();
    this.#inflater[Symbol.dispose]();
    // What was written before, such as GOAWAY, is still to go out.
    this.#transport.end(() => this.#transport.destroy());
    this.#transport.resume();
    this.emit('close', error);
  }
}
