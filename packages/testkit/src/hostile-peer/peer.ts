import { once } from 'node:events';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import type { SecureVersion, TLSSocket } from 'node:tls';
import type { Netns } from '../netns/namespace.ts';
import {
  ACK,
  CLIENT_PREFACE,
  ERROR_CODES,
  frame,
  FrameSplitter,
  FrameType,
  Setting,
  SETTINGS_ACK,
  settingsFrame,
  statusOf,
} from './frames.ts';
import type { ReceivedFrame } from './frames.ts';
import { connectFrom } from './sockets.ts';

/** A certificate and its key, PEM. */
export interface Credentials {
  readonly cert: string;
  readonly key: string;
}

/** How a handshake begins; all absent: TLS 1.3 and h2, with no certificate. */
export interface HandshakeOptions extends Partial<Credentials> {
  readonly minVersion?: SecureVersion;
  readonly maxVersion?: SecureVersion;
  /** What is offered by ALPN. */
  readonly protocols?: string[];
  /** Groups for the key exchange, best first, with colons between. */
  readonly ecdhCurve?: string;
  /** Suites of TLS 1.2 and below, as OpenSSL writes them. */
  readonly ciphers?: string;
}

/** How a connection ended, seen from here. */
export type PeerEnd = 'closed' | 'reset';

/** What a request came to: `200`, `reset PROTOCOL_ERROR`, `goaway ENHANCE_YOUR_CALM`, `closed` or `reset`. */
export type Answer = string;

export class HostilePeerError extends Error {
  override readonly name = 'HostilePeerError';
  readonly code = 'ERR_HOSTILE_PEER';
}

const DEADLINE_MS = 8000;

/** An end of a connection that keeps to no rule: it sends the bytes that a test likes, and notes the frames that come. */
export class HostilePeer {
  readonly stream: Duplex;
  /** This end's IPv4 address and port as an access log writes them; kept after the end. */
  readonly address: string;
  /** Every frame so far. */
  readonly frames: ReceivedFrame[] = [];
  #end: PeerEnd | undefined;
  /** The other side has sent its end, by TLS or TCP; it may still read. */
  sawEof = false;
  readonly #socket: Socket;
  readonly #splitter: FrameSplitter;
  readonly #bytes: Buffer[] = [];
  #answersPings = false;
  readonly #watchers = new Set<() => void>();

  /**
   * @param stream what frames are written to and read from
   * @param socket the TCP connection below
   * @param side which end this is
   */
  constructor(stream: Duplex, socket: Socket, side: 'client' | 'server' = 'client') {
    this.stream = stream;
    this.#socket = socket;
    this.address = `${socket.localAddress ?? ''}:${socket.localPort ?? 0}`;
    const plain = stream === socket;
    this.#splitter = new FrameSplitter(side === 'server' ? CLIENT_PREFACE.length : 0);
    stream.on('data', (bytes: Buffer) => {
      if (plain) {
        this.#bytes.push(bytes);
        this.#wake();
        return;
      }
      const frames = this.#splitter.push(bytes);
      for (const each of frames) {
        this.frames.push(each);
        if (this.#answersPings) this.#answerPing(each);
      }
      if (frames.length > 0) this.#wake();
    });
    stream.on('end', () => {
      this.sawEof = true;
      this.#wake();
    });
    const failed = (error: NodeJS.ErrnoException): void => {
      if (error.code === 'ECONNRESET' || error.code === 'EPIPE') this.#end ??= 'reset';
      this.#wake();
    };
    stream.on('error', failed);
    if (socket !== stream) socket.on('error', failed);
    stream.on('close', () => {
      this.#end ??= 'closed';
      this.#wake();
    });
  }

  /** TCP alone: for bytes that are no TLS. */
  static connectPlain(from: Netns, ip: string, port: number): HostilePeer {
    const socket = connectFrom(from, ip, port);
    return new HostilePeer(socket, socket);
  }

  /** TLS with a certificate that the other side accepts; resolves when this side's handshake is done. */
  static async connectTls(
    from: Netns,
    ip: string,
    port: number,
    credentials: Credentials,
  ): Promise<HostilePeer> {
    const peer = HostilePeer.beginTls(from, ip, port, credentials);
    await once(peer.stream, 'secureConnect');
    return peer;
  }

  /** TLS that the other side may refuse: the handshake goes on after this returns, and its failure is the connection's end. */
  static beginTls(from: Netns, ip: string, port: number, options: HandshakeOptions): HostilePeer {
    const { protocols = ['h2'], minVersion = 'TLSv1.3', ...rest } = options;
    const socket = connectFrom(from, ip, port);
    const secure: TLSSocket = connectTls({
      socket,
      ...rest,
      minVersion,
      ALPNProtocols: protocols,
      rejectUnauthorized: false, // an attacker does not care whom it attacks
    });
    return new HostilePeer(secure, socket);
  }

  /** TLS and an orderly start of HTTP/2. @param settings what this side announces, by identifier */
  static async connect(
    from: Netns,
    ip: string,
    port: number,
    credentials: Credentials,
    settings: Readonly<Record<number, number>> = {},
  ): Promise<HostilePeer> {
    const peer = await HostilePeer.connectTls(from, ip, port, credentials);
    peer.send(CLIENT_PREFACE);
    await peer.start(settings);
    return peer;
  }

  /** Exchanges SETTINGS. The other side is told to keep no header table, so that its answers can be read. */
  async start(settings: Readonly<Record<number, number>> = {}): Promise<void> {
    this.send(settingsFrame({ [Setting.HEADER_TABLE_SIZE]: 0, ...settings }));
    await this.waitForFrame((frame) => frame.type === FrameType.SETTINGS && frame.flags === 0);
    this.send(SETTINGS_ACK);
  }

  /** Writes without regard to what the other side takes. Nothing happens when the connection is gone. */
  send(...parts: readonly Uint8Array[]): void {
    if (!this.stream.destroyed && this.stream.writable) this.stream.write(Buffer.concat(parts));
  }

  /** Writes to the TCP connection, past TLS. */
  sendBelowTls(bytes: Uint8Array): void {
    this.#socket.write(bytes);
  }

  /** As `send`, and resolves when the bytes have left this process or the connection is gone. */
  async sendAll(...parts: readonly Uint8Array[]): Promise<void> {
    if (this.stream.destroyed || !this.stream.writable) return;
    await new Promise<void>((resolve) => {
      this.stream.once('close', resolve);
      this.stream.write(Buffer.concat(parts), () => {
        this.stream.off('close', resolve);
        resolve();
      });
    });
  }

  /** Answers every PING, past and to come: a peer that does not is taken for dead after a while. */
  answerPings(): void {
    this.#answersPings = true;
    for (const each of this.frames) this.#answerPing(each);
  }

  #answerPing({ type, flags, payload }: ReceivedFrame): void {
    if (type === FrameType.PING && flags === 0) this.send(frame(FrameType.PING, ACK, 0, payload));
  }

  /** Stops reading: what comes stays in the kernel, until its buffers are full. */
  stopReading(): void {
    this.stream.pause();
    this.#socket.pause();
  }

  /** Reads again. */
  resumeReading(): void {
    this.#socket.resume();
    this.stream.resume();
  }

  /** How the connection ended, undefined while it stands. */
  get end(): PeerEnd | undefined {
    return this.#end;
  }

  /** The first frame, past or to come, that `wanted` takes; rejects at the deadline, and when the connection ends first. */
  waitForFrame(wanted: (frame: ReceivedFrame) => boolean, deadlineMs = DEADLINE_MS): Promise<ReceivedFrame> {
    return this.#wait(() => this.frames.find(wanted), 'the awaited frame', deadlineMs);
  }

  /** Resolves when the connection has ended, or the other side has sent its end and nothing is left to say. */
  async waitForEnd(deadlineMs = DEADLINE_MS): Promise<PeerEnd> {
    const end = await this.#wait(
      () => this.#end ?? (this.sawEof ? 'closed' : undefined),
      'end of the connection',
      deadlineMs,
      true,
    );
    this.destroy();
    return end;
  }

  /** What became of a request, by the first frame that decides it. */
  answer(stream: number, deadlineMs = DEADLINE_MS): Promise<Answer> {
    return this.#wait(
      () => {
        for (const frame of this.frames) {
          if (frame.type === FrameType.HEADERS && frame.stream === stream)
            return String(statusOf(frame.payload));
          if (frame.type === FrameType.RST_STREAM && frame.stream === stream)
            return `reset ${ERROR_CODES[frame.payload.readUInt32BE(0)]}`;
          if (frame.type === FrameType.GOAWAY && frame.payload.readUInt32BE(4) !== 0)
            return `goaway ${ERROR_CODES[frame.payload.readUInt32BE(4)]}`;
        }
        return this.#end ?? (this.sawEof ? 'closed' : undefined);
      },
      `answer on stream ${stream}`,
      deadlineMs,
      true,
    );
  }

  /** Bytes of DATA on a stream so far. */
  received(stream: number): Buffer {
    return Buffer.concat(
      this.frames
        .filter((frame) => frame.type === FrameType.DATA && frame.stream === stream)
        .map((frame) => frame.payload),
    );
  }

  /** Everything that came so far over plain TCP, where nothing is taken for frames. */
  get bytes(): Buffer {
    return Buffer.concat(this.#bytes);
  }

  /** Whether the other side has ended a stream. */
  streamEnded(stream: number): boolean {
    const ends = (frame: ReceivedFrame): boolean =>
      (frame.type === FrameType.DATA || frame.type === FrameType.HEADERS) && (frame.flags & 1) !== 0;
    return this.frames.some((frame) => frame.stream === stream && ends(frame));
  }

  /** Resolves when `probe`, asked after every frame, answers; rejects at the deadline. */
  waitFor<T>(probe: () => T | undefined, what: string, deadlineMs = DEADLINE_MS): Promise<T> {
    return this.#wait(probe, what, deadlineMs);
  }

  /** Error code and debug text of the GOAWAY that came, if one did. */
  get goaway(): string | undefined {
    const found = this.frames.find((frame) => frame.type === FrameType.GOAWAY);
    if (found === undefined) return undefined;
    return `${ERROR_CODES[found.payload.readUInt32BE(4)]} ${found.payload.toString('latin1', 8)}`.trim();
  }

  /** Closes without a word of TLS or HTTP/2: a plain TCP FIN. */
  destroy(): void {
    this.stream.destroy();
    this.#socket.destroy();
  }

  /** Resets the TCP connection. */
  reset(): void {
    this.#socket.resetAndDestroy();
    this.stream.destroy();
  }

  #wait<T>(probe: () => T | undefined, what: string, deadlineMs: number, endIsAnswer = false): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(deadline);
        this.#watchers.delete(attempt);
        act();
      };
      const attempt = (): void => {
        const value = probe();
        if (value !== undefined) settle(() => resolve(value));
        else if (this.#end !== undefined && !endIsAnswer)
          settle(() => reject(new HostilePeerError(`the connection was ${this.#end} before ${what}`)));
      };
      const deadline = setTimeout(() => {
        settle(() => {
          const seen = this.frames.slice(-5).map((frame) => `type ${frame.type} on ${frame.stream}`);
          reject(new HostilePeerError(`no ${what} within ${deadlineMs} ms; frames: ${seen.join(', ')}`));
        });
      }, deadlineMs);
      this.#watchers.add(attempt);
      attempt();
    });
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }
}
