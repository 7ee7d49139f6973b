import type { Socket } from 'node:net';
import { DEFAULT_ABUSE_LIMITS } from '../http2/abuse.ts';
import { Http2Connection } from '../http2/connection.ts';
import type { LocalSettings } from '../http2/settings.ts';
import { HBONE_CLIENT_SETTINGS, HBONE_SERVER_SETTINGS } from './hbone-settings.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { EventLog } from './event-log.ts';
import { drain } from './wire.ts';

/** A connection of ours on a socket of Node's, to be put before another implementation. */
export class SocketEndpoint {
  readonly log = new EventLog();
  readonly connection: Http2Connection<string>;
  readonly #socket: Socket;
  /** What is left to send per stream, and what ends it: trailers, or nothing. */
  readonly #pending = new Map<Http2Stream<string>, { rest: string; trailers: string[] | undefined }>();

  constructor(role: 'client' | 'server', socket: Socket, settings: Partial<LocalSettings> = {}) {
    const base = role === 'client' ? HBONE_CLIENT_SETTINGS : HBONE_SERVER_SETTINGS;
    this.connection = new Http2Connection(
      role,
      { ...base, ...settings },
      this.log,
      DEFAULT_ABUSE_LIMITS,
      () => performance.now(),
    );
    this.#socket = socket;
    socket.setNoDelay(true);
    this.log.release = (bytes) => this.connection.releaseConnectionWindow(bytes);
    this.log.sendable = (stream) => this.#pump(stream);
    socket.on('data', (bytes: Buffer) => {
      this.connection.receive(bytes, 0, bytes.length);
      this.flush();
    });
    socket.on('error', () => socket.destroy());
    socket.on('close', () => this.connection.transportClosed());
    this.flush();
  }

  flush(): void {
    if (this.connection.outputLength > 0) this.#socket.write(drain(this.connection));
  }

  /** Sends a body, as the windows allow, and ends the stream with it or with trailers. */
  sendBody(stream: Http2Stream<string>, body: string, trailers?: string[]): void {
    this.#pending.set(stream, { rest: body, trailers });
    this.#pump(stream);
    this.flush();
  }

  #pump(stream: Http2Stream<string>): void {
    const pending = this.#pending.get(stream);
    if (pending === undefined) return;
    while (pending.rest.length > 0) {
      const size = Math.min(stream.sendable, pending.rest.length);
      if (size === 0) return;
      this.flush();
      const frame = Buffer.alloc(9 + size);
      frame.write(pending.rest.slice(0, size), 9, 'latin1');
      pending.rest = pending.rest.slice(size);
      stream.frameData(frame, 0, size, false);
      this.#socket.write(frame);
    }
    this.#pending.delete(stream);
    if (pending.trailers === undefined) stream.end();
    else stream.sendTrailers(pending.trailers);
  }
}
