import { duplexPair } from 'node:stream';
import type { Duplex } from 'node:stream';
import { constants, createDeflate } from 'node:zlib';
import type { Deflate } from 'node:zlib';

import { expect } from 'chai';

import { spdyDictionary } from './dictionary.ts';
import { dataHead, FrameReader, goAway, ping, rstStream, synStream, windowUpdate } from './frames.ts';
import type { SpdyFrame } from './frames.ts';
import { encodeHeaders, HeaderInflater } from './header-block.ts';
import { SpdyConnection } from './spdy-connection.ts';
import type { SpdyStream } from './spdy-stream.ts';

/** Compresses header blocks as Go's clients do. */
class HeaderDeflater {
  readonly #deflate: Deflate = createDeflate({ dictionary: spdyDictionary });

  async next(bytes: Buffer): Promise<Buffer> {
    const chunks: Buffer[] = [];
    const take = (chunk: Buffer): void => void chunks.push(chunk);
    this.#deflate.on('data', take);
    this.#deflate.write(bytes);
    await new Promise<void>((resolve) => this.#deflate.flush(constants.Z_SYNC_FLUSH, resolve));
    this.#deflate.off('data', take);
    return Buffer.concat(chunks);
  }
}

/** The client's side, without rules. */
class Client {
  readonly socket: Duplex;
  readonly connection: SpdyConnection;
  readonly streams: SpdyStream[] = [];
  readonly deflater = new HeaderDeflater();
  readonly frames: SpdyFrame[] = [];
  readonly closed: Promise<Error | undefined>;
  readonly #reader = new FrameReader();
  #arrived: (() => void) | undefined;

  constructor() {
    const [client, server] = duplexPair();
    this.socket = client;
    this.connection = new SpdyConnection(server);
    this.connection.on('stream', (stream) => {
      this.streams.push(stream);
      this.#arrived?.();
    });
    this.closed = new Promise((resolve) => this.connection.once('close', resolve));
    client.on('data', (chunk: Buffer) => {
      this.frames.push(...this.#reader.push(chunk));
      this.#arrived?.();
    });
    this.connection.start();
  }

  async open(streamId: number, headers: Record<string, string> = {}, fin = false): Promise<void> {
    const block = await this.deflater.next(encodeHeaders(Object.entries(headers)));
    this.socket.write(synStream(streamId, block, fin));
  }

  data(streamId: number, text: string | Buffer, fin = false): void {
    const bytes = Buffer.from(text as string);
    this.socket.write(Buffer.concat([dataHead(streamId, bytes.length, fin), bytes]));
  }

  /** Settles when the condition holds; it is asked whenever something comes. */
  async until(condition: () => boolean): Promise<void> {
    while (!condition())
      await new Promise<void>((resolve) => {
        this.#arrived = resolve;
      });
  }

  /** The connection ends by an error of this text, after GOAWAY. */
  async isRefused(text: RegExp): Promise<void> {
    const error = await this.closed;
    expect(error?.message).to.match(text);
    expect(error).to.have.property('code', 'SPDY_PROTOCOL');
    await this.until(() => this.frames.some(({ kind }) => kind === 'go-away'));
    expect(this.connection.streamCount).to.equal(0);
  }
}

describe('a SPDY connection', () => {
  it('opens streams by compressed headers, and carries bytes both ways', async () => {
    const client = new Client();
    await client.open(1, { StreamType: 'stdin' });
    await client.open(3, { streamtype: 'stdout', port: '80' });
    await client.until(() => client.streams.length === 2);
    const [first, second] = client.streams as [SpdyStream, SpdyStream];
    expect(first.headers.get('streamtype')).to.equal('stdin');
    expect([...second.headers]).to.deep.equal([
      ['streamtype', 'stdout'],
      ['port', '80'],
    ]);
    client.data(1, 'hello', true);
    expect(String(Buffer.concat(await first.toArray()))).to.equal('hello');
    second.end('world');
    await client.until(() => client.frames.some((frame) => frame.kind === 'data' && frame.fin));
    const sent = client.frames.flatMap((frame) => (frame.kind === 'data' ? [frame.bytes] : []));
    expect(String(Buffer.concat(sent))).to.equal('world');
    const inflater = new HeaderInflater();
    for (const frame of client.frames)
      if (frame.kind === 'syn-reply') expect([...(await inflater.next(frame.headerBlock))]).to.deep.equal([]);
    expect(client.frames.filter(({ kind }) => kind === 'syn-reply')).to.have.length(2);
  });

  it('answers a ping, and takes no notice of settings and windows', async () => {
    const client = new Client();
    client.socket.write(Buffer.from([0x80, 3, 0, 4, 0, 0, 0, 4, 0, 0, 0, 0]));
    client.socket.write(Buffer.concat([windowUpdate(0, 1), goAway(0, 0), ping(2), ping(7)]));
    await client.until(() => client.frames.length > 0);
    expect(client.frames).to.deep.equal([{ kind: 'ping', id: 7 }]);
  });

  it('says what has been consumed', async () => {
    const client = new Client();
    await client.open(1);
    client.data(1, Buffer.alloc(50_000));
    await client.until(() => client.streams.length === 1);
    client.streams[0]!.resume();
    await client.until(() => client.frames.filter(({ kind }) => kind === 'window-update').length >= 2);
    expect(client.frames.filter(({ kind }) => kind === 'window-update')).to.deep.include({
      kind: 'window-update',
      streamId: 1,
      delta: 50_000,
    });
  });

  it('reads no further while an application does not take what has come', async () => {
    const client = new Client();
    await client.open(1);
    const block = Buffer.alloc(64 * 1024);
    for (let i = 0; i < 64; i++) client.data(1, block);
    await client.until(() => client.streams.length === 1);
    const stream = client.streams[0]!;
    await new Promise((resolve) => setImmediate(resolve));
    expect(stream.readableLength).to.be.at.most(512 * 1024);
    client.data(1, '', true);
    expect(Buffer.concat(await stream.toArray()).length).to.equal(64 * block.length);
  });

  it('resets a stream that is given up, and lives on', async () => {
    const client = new Client();
    await client.open(1);
    await client.until(() => client.streams.length === 1);
    client.streams[0]!.destroy();
    await client.until(() => client.frames.some(({ kind }) => kind === 'rst-stream'));
    client.data(1, 'late');
    await client.open(3);
    await client.until(() => client.streams.length === 2);
  });

  it('a client that breaks off a stream ends it alone', async () => {
    const client = new Client();
    await client.open(1);
    await client.open(3);
    await client.until(() => client.streams.length === 2);
    const closed = new Promise<void>((resolve) => client.streams[0]!.once('close', resolve));
    client.socket.write(rstStream(1, 5));
    await closed;
    expect(client.streams[0]!.errored).to.have.property('code', 'SPDY_STREAM_RESET');
    expect(client.streams[1]!.destroyed).to.equal(false);
  });

  it('a client that leaves ends everything', async () => {
    const client = new Client();
    await client.open(1);
    await client.until(() => client.streams.length === 1);
    client.socket.destroy();
    await client.closed;
    expect(client.streams[0]!.destroyed).to.equal(true);
  });
});

describe('a hostile SPDY client', () => {
  it('of another version is refused', async () => {
    const client = new Client();
    client.socket.write(Buffer.from([0x80, 2, 0, 1, 0, 0, 0, 0]));
    await client.isRefused(/version 2/);
  });

  it('with a control frame of 16 MiB is refused at its head', async () => {
    const client = new Client();
    client.socket.write(Buffer.from([0x80, 3, 0, 1, 0, 0xff, 0xff, 0xff]));
    await client.isRefused(/16777215 bytes/);
  });

  it('with a SYN_STREAM that is too short is refused', async () => {
    const client = new Client();
    client.socket.write(Buffer.from([0x80, 3, 0, 1, 0, 0, 0, 2, 0, 0]));
    await client.isRefused(/too short/);
  });

  it('with a header block that is no zlib is refused', async () => {
    const client = new Client();
    client.socket.write(synStream(1, Buffer.from('nonsense')));
    await client.isRefused(/cannot be inflated/);
  });

  it('with a header block that inflates to a bomb is refused', async () => {
    const client = new Client();
    const block = await client.deflater.next(Buffer.alloc(8 * 1024 * 1024));
    expect(block.length).to.be.below(64 * 1024);
    client.socket.write(synStream(1, block));
    await client.isRefused(/inflates to more/);
  });

  it('with more headers than anybody needs is refused', async () => {
    const client = new Client();
    await client.open(1, Object.fromEntries(Array.from({ length: 65 }, (_, i) => [`h${i}`, ''])));
    await client.isRefused(/65 headers/);
  });

  it('with a header longer than its block is refused', async () => {
    const client = new Client();
    const pairs = Buffer.from([0, 0, 0, 1, 0xff, 0xff, 0xff, 0xff, 0]);
    client.socket.write(synStream(1, await client.deflater.next(pairs)));
    await client.isRefused(/longer than its block/);
  });

  it('with the same header twice is refused', async () => {
    const client = new Client();
    const pairs = encodeHeaders([
      ['port', '1'],
      ['PORT', '2'],
    ]);
    client.socket.write(synStream(1, await client.deflater.next(pairs)));
    await client.isRefused(/"port" is empty or comes twice/);
  });

  it('with stream numbers of a server, or that go back, is refused', async () => {
    const even = new Client();
    await even.open(2);
    await even.isRefused(/stream 2/);
    const back = new Client();
    await back.open(5);
    await back.open(3);
    await back.isRefused(/stream 3 after stream 5/);
  });

  it('with data for a stream that was never opened is refused', async () => {
    const client = new Client();
    client.data(9, 'x');
    await client.isRefused(/stream 9, which was never opened/);
  });

  it('with data for stream 0 is refused', async () => {
    const client = new Client();
    client.data(0, 'x');
    await client.isRefused(/stream 0/);
  });

  it('with thousands of streams gets 512, and a refusal for each other', async () => {
    const client = new Client();
    for (let i = 0; i < 520; i++) await client.open(2 * i + 1);
    await client.until(() => client.frames.filter(({ kind }) => kind === 'rst-stream').length === 8);
    expect(client.streams).to.have.length(512);
    expect(client.connection.streamCount).to.equal(512);
  });

  it('that sends byte by byte is understood', async () => {
    const client = new Client();
    const block = await client.deflater.next(encodeHeaders([['a', 'b']]));
    const bytes = Buffer.concat([synStream(1, block), dataHead(1, 2, true), Buffer.from('ok')]);
    for (const byte of bytes) client.socket.write(Buffer.from([byte]));
    await client.until(() => client.streams.length === 1);
    expect(String(Buffer.concat(await client.streams[0]!.toArray()))).to.equal('ok');
  });
});
