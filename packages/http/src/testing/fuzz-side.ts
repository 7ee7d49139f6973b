import { DEFAULT_ABUSE_LIMITS } from '../http2/abuse.ts';
import { Http2Connection } from '../http2/connection.ts';
import type { Http2Error } from '../http2/errors.ts';
import type { Http2Handler } from '../http2/handler.ts';
import type { HeaderBlock } from '../http2/header-block.ts';
import type { LocalSettings, Role } from '../http2/settings.ts';
import { HBONE_CLIENT_SETTINGS, HBONE_SERVER_SETTINGS } from './hbone-settings.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { CLIENT_PREFACE, drain, FrameType } from './wire.ts';

/** What one side knows of a stream besides what the stream knows. */
export interface FuzzStream {
  readonly tunnel: boolean;
  /** Bytes of body that this side still wants to send. */
  unsent: number;
  /** Bytes that this side has sent. */
  sent: number;
  /** Bytes that have come. */
  received: number;
  /** Bytes that came and were not given back to the stream. */
  owed: number;
  /** Header sections that came, as text. */
  readonly sections: string[];
}

const newStream = (tunnel: boolean): FuzzStream => ({
  tunnel,
  unsent: 0,
  sent: 0,
  received: 0,
  owed: 0,
  sections: [],
});

/** One end of a connection whose owner does correct things at random times, and gives windows back when told to. */
export class FuzzSide implements Http2Handler<FuzzStream> {
  readonly connection: Http2Connection<FuzzStream>;
  /** Streams that are not closed, in the order of their opening. */
  readonly open: Http2Stream<FuzzStream>[] = [];
  /** Every stream of this side, by id. */
  readonly all = new Map<number, FuzzStream>();
  /** Ids that `onReset` was called for. */
  readonly died = new Set<number>();
  /** Bytes on their way to the other side. */
  wire = Buffer.alloc(0);
  /** Everything that was ever put on the wire. */
  readonly history: Buffer[] = [];
  /** Ids that this side reset. */
  readonly reset = new Set<number>();
  /** Bytes of body that were not given back to the connection. */
  owed = 0;
  error: Http2Error | undefined;

  constructor(role: Role, settings: Partial<LocalSettings>) {
    const base = role === 'client' ? HBONE_CLIENT_SETTINGS : HBONE_SERVER_SETTINGS;
    this.connection = new Http2Connection(
      role,
      { ...base, ...settings },
      this,
      DEFAULT_ABUSE_LIMITS,
      () => 0,
    );
  }

  onHeaders(stream: Http2Stream<FuzzStream>, headers: HeaderBlock): void {
    if (this.connection.role === 'server') {
      stream.context = newStream(headers.includes('CONNECT'));
      this.#add(stream);
    }
    stream.context.sections.push(headers.join());
  }

  onTrailers(stream: Http2Stream<FuzzStream>, headers: HeaderBlock): void {
    stream.context.sections.push(headers.join());
  }

  onData(stream: Http2Stream<FuzzStream>, _bytes: Uint8Array, start: number, end: number): void {
    stream.context.received += end - start;
    stream.context.owed += end - start;
    this.owed += end - start;
  }

  onReset(stream: Http2Stream<FuzzStream>): void {
    this.died.add(stream.id);
  }

  onStreamClosed(stream: Http2Stream<FuzzStream>): void {
    const index = this.open.indexOf(stream);
    if (index < 0) throw new Error(`stream ${stream.id} was closed twice`);
    this.open.splice(index, 1);
  }

  onSendable(stream: Http2Stream<FuzzStream>): void {
    this.send(stream);
  }

  onRemoteSettings(): void {}
  onPong(): void {}
  onGoaway(): void {}

  onConnectionError(error: Http2Error): void {
    this.error = error;
  }

  /** Payload bytes of all DATA that this side sent, and what it granted on the connection. */
  totals(): { data: number; granted: number } {
    const bytes = Buffer.concat(this.history);
    const totals = { data: 0, granted: 0 };
    let at = this.connection.role === 'client' ? CLIENT_PREFACE.length : 0;
    while (at < bytes.length) {
      const length = bytes.readUIntBE(at, 3);
      const type = bytes[at + 3]!;
      if (type === FrameType.DATA) totals.data += length;
      if (type === FrameType.WINDOW_UPDATE && bytes.readUInt32BE(at + 5) === 0)
        totals.granted += bytes.readUInt32BE(at + 9);
      at += 9 + length;
    }
    return totals;
  }

  request(headers: HeaderBlock, endStream: boolean): Http2Stream<FuzzStream> | undefined {
    const tunnel = headers.includes('CONNECT');
    const stream = this.connection.request(headers, endStream, newStream(tunnel));
    if (stream !== undefined) this.#add(stream);
    return stream;
  }

  /** Sends what the stream wants to send, as far as the windows allow. */
  send(stream: Http2Stream<FuzzStream>, most = Infinity): void {
    const { context } = stream;
    let budget = most;
    while (context.unsent > 0 && budget > 0) {
      const size = Math.min(stream.sendable, context.unsent, budget);
      if (size === 0) return;
      this.flush();
      const frame = Buffer.alloc(9 + size, 100);
      stream.frameData(frame, 0, size, false);
      this.#put(frame);
      context.unsent -= size;
      context.sent += size;
      budget -= size;
    }
  }

  /** Gives back up to `bytes` to the stream and to the connection. */
  release(stream: Http2Stream<FuzzStream>, bytes: number): void {
    const some = Math.min(stream.context.owed, bytes);
    stream.context.owed -= some;
    stream.releaseWindow(some);
  }

  releaseConnection(bytes: number): void {
    const some = Math.min(this.owed, bytes);
    this.owed -= some;
    this.connection.releaseConnectionWindow(some);
  }

  /** Puts the control output on the wire. */
  flush(): void {
    if (this.connection.outputLength > 0) this.#put(drain(this.connection));
  }

  /** Carries up to `bytes` of the wire to the other side. */
  carry(to: FuzzSide, bytes: number): boolean {
    this.flush();
    const piece = Buffer.from(this.wire.subarray(0, bytes));
    this.wire = this.wire.subarray(piece.length);
    to.connection.receive(piece, 0, piece.length);
    piece.fill(0xee); // what is kept beyond the call would show
    return piece.length > 0;
  }

  #put(bytes: Buffer): void {
    this.history.push(bytes);
    this.wire = Buffer.concat([this.wire, bytes]);
  }

  #add(stream: Http2Stream<FuzzStream>): void {
    this.open.push(stream);
    this.all.set(stream.id, stream.context);
  }
}
