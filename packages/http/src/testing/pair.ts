import { DEFAULT_ABUSE_LIMITS } from '../http2/abuse.ts';
import type { AbuseLimits } from '../http2/abuse.ts';
import { Http2Connection } from '../http2/connection.ts';
import type { LocalSettings } from '../http2/settings.ts';
import { HBONE_CLIENT_SETTINGS, HBONE_SERVER_SETTINGS } from './hbone-settings.ts';
import type { Http2Stream } from '../http2/stream.ts';
import { EventLog } from './event-log.ts';
import { drain } from './wire.ts';

/** One connection with its log and the bytes that it has put out, control and DATA in order. */
export class Endpoint {
  readonly log = new EventLog();
  readonly connection: Http2Connection<string>;
  #out: Buffer[] = [];

  constructor(
    role: 'client' | 'server',
    settings: Partial<LocalSettings>,
    limits: Partial<AbuseLimits>,
    now: () => number,
  ) {
    const base = role === 'client' ? HBONE_CLIENT_SETTINGS : HBONE_SERVER_SETTINGS;
    this.connection = new Http2Connection(
      role,
      { ...base, ...settings },
      this.log,
      { ...DEFAULT_ABUSE_LIMITS, ...limits },
      now,
    );
    this.log.release = (bytes) => this.connection.releaseConnectionWindow(bytes);
  }

  /** Sends as much of `text` as the windows allow, in frames, and returns the rest. */
  send(stream: Http2Stream<string>, text: string, endStream = false): string {
    let rest = text;
    while (rest.length > 0) {
      const size = Math.min(stream.sendable, rest.length);
      if (size === 0) return rest;
      this.#out.push(drain(this.connection));
      const frame = Buffer.alloc(9 + size);
      frame.write(rest.slice(0, size), 9, 'latin1');
      rest = rest.slice(size);
      stream.frameData(frame, 0, size, endStream && rest.length === 0);
      this.#out.push(frame);
    }
    return rest;
  }

  /** All bytes to be sent. */
  output(): Buffer {
    this.#out.push(drain(this.connection));
    const bytes = Buffer.concat(this.#out);
    this.#out = [];
    return bytes;
  }
}

/** A client and a server that talk in memory. */
export class Pair {
  time = 0;
  readonly client: Endpoint;
  readonly server: Endpoint;
  /** Cuts what goes over into pieces; whole when not set. */
  cut: ((length: number) => number) | undefined;

  constructor(client: Partial<LocalSettings> = {}, server: Partial<LocalSettings> = {}) {
    const now = (): number => this.time;
    this.client = new Endpoint('client', client, {}, now);
    this.server = new Endpoint('server', server, {}, now);
  }

  /** Carries bytes both ways until nobody has anything to say. */
  settle(): void {
    for (;;) {
      const up = this.client.output();
      const down = this.server.output();
      if (up.length === 0 && down.length === 0) return;
      this.#carry(up, this.server);
      this.#carry(down, this.client);
    }
  }

  #carry(bytes: Buffer, to: Endpoint): void {
    let at = 0;
    while (at < bytes.length) {
      const size = this.cut === undefined ? bytes.length : Math.max(1, this.cut(bytes.length - at));
      const end = Math.min(bytes.length, at + size);
      // A copy of its own, wiped afterwards: what is kept beyond the call would show.
      const piece = Buffer.from(bytes.subarray(at, end));
      to.connection.receive(piece, 0, piece.length);
      piece.fill(0xee);
      at = end;
    }
  }
}
