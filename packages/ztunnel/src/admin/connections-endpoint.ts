import { Readable } from 'node:stream';

import type { Clock } from '@ambient/runtime';

import { textReply } from './http-endpoint.ts';
import type { Endpoint } from './http-endpoint.ts';
import type { EndedConnections, EndedConnection } from './ended-connections.ts';
import type { LocalConnection } from './local-connections.ts';

const defaultIntervalMs = 1000;
/** Each round asks all workers. */
const leastIntervalMs = 200;
const longestIntervalMs = 60_000;

export interface ConnectionSource {
  connections(): Promise<readonly LocalConnection[]>;
  /** The same, with those that have ended since anybody watched, in order. */
  watchConnections(): Promise<{
    readonly live: readonly LocalConnection[];
    readonly ended: EndedConnections;
  }>;
  readonly clock: Clock;
}

/** One line of `/connections?watch`: what is different from the line before. */
export interface ConnectionDelta {
  /** Unix time in milliseconds. */
  readonly atMs: number;
  /** The connections that were open before anybody watched; only on the first line. */
  readonly snapshot?: readonly WatchedConnection[];
  /** Those that were opened and closed since the line before are among both. */
  readonly opened: readonly WatchedConnection[];
  /** With all that they have carried, and why they ended if it was not in order. */
  readonly closed: readonly (WatchedConnection & Partial<Pick<EndedConnection, 'endedAtMs' | 'reason'>>)[];
  readonly counts: readonly Pick<WatchedConnection, 'id' | 'bytesSent' | 'bytesReceived'>[];
}

export interface WatchedConnection extends LocalConnection {
  /** Within one watch. */
  readonly id: number;
}

/** `/connections`: the live connections as JSON; with `watch`, and then what changes, a line at a time. */
export function connectionsEndpoint(source: ConnectionSource): Endpoint {
  return {
    method: 'GET',
    path: '/connections',
    doc: 'live connections as JSON; ?watch&interval=1000 goes on with what changes, one line of JSON each interval (milliseconds)',
    async handle(query) {
      if (!query.has('watch'))
        return {
          status: 200,
          contentType: 'application/json',
          body: `${JSON.stringify(await source.connections())}\n`,
        };
      const text = query.get('interval');
      const intervalMs = text === null ? defaultIntervalMs : Number(text);
      if (!Number.isInteger(intervalMs) || intervalMs < leastIntervalMs || intervalMs > longestIntervalMs)
        return textReply(
          400,
          `interval=${text}: use milliseconds from ${leastIntervalMs} to ${longestIntervalMs}`,
        );
      return {
        status: 200,
        contentType: 'application/x-ndjson',
        body: new ConnectionWatch(source, intervalMs),
      };
    },
  };
}

/** What changes from one look at the connections to the next. */
export class ConnectionChanges {
  #known = new Map<string, WatchedConnection>();
  #nextId = 1;
  #first = true;

  next(
    connections: readonly LocalConnection[],
    atMs: number,
    ended: readonly EndedConnection[] = [],
  ): ConnectionDelta {
    const now = new Map<string, WatchedConnection>();
    const opened: WatchedConnection[] = [];
    const counts: ConnectionDelta['counts'][number][] = [];
    for (const connection of connections) {
      const key = keyOf(connection);
      const before = this.#known.get(key);
      const watched = { id: before?.id ?? this.#nextId++, ...connection };
      now.set(key, watched);
      if (before === undefined) opened.push(watched);
      else if (before.bytesSent !== watched.bytesSent || before.bytesReceived !== watched.bytesReceived)
        counts.push({ id: watched.id, bytesSent: watched.bytesSent, bytesReceived: watched.bytesReceived });
    }
    const first = this.#first;
    const closed: WatchedConnection[] = [];
    for (const connection of ended) {
      const key = keyOf(connection);
      const before = this.#known.get(key);
      if (before === undefined && first) continue;
      const watched = { id: before?.id ?? this.#nextId++, ...connection };
      if (before === undefined) opened.push(watched);
      else this.#known.delete(key);
      closed.push(watched);
    }
    // Whose end nobody has told: its worker is gone, or more ended than is kept.
    for (const [key, each] of this.#known) if (!now.has(key)) closed.push(each);
    this.#known = now;
    this.#first = false;
    return first ? { atMs, snapshot: opened, opened: [], closed, counts } : { atMs, opened, closed, counts };
  }
}

function keyOf({ workload, direction, source, destination, openedAtMs }: LocalConnection): string {
  return `${workload.namespace}/${workload.name} ${direction} ${source} ${destination} ${openedAtMs}`;
}

/** The lines. While the reader is slow, rounds are left out: a line then tells more. It owns its timer. */
class ConnectionWatch extends Readable {
  readonly #source: ConnectionSource;
  readonly #intervalMs: number;
  readonly #changes = new ConnectionChanges();
  /** Number of the last ended connection that was told. */
  #seen = 0;
  #timer: Disposable | undefined;
  #asking = false;
  #started = false;

  constructor(source: ConnectionSource, intervalMs: number) {
    super();
    this.#source = source;
    this.#intervalMs = intervalMs;
  }

  override _read(): void {
    if (this.#asking || this.#timer !== undefined) return;
    if (this.#started) {
      this.#timer = this.#source.clock.setTimer(this.#intervalMs, () => {
        this.#timer = undefined;
        this.#look();
      });
      return;
    }
    this.#started = true;
    this.#look();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#timer?.[Symbol.dispose]();
    done(error);
  }

  #look(): void {
    this.#asking = true;
    this.#source.watchConnections().then(
      ({ live, ended }) => {
        this.#asking = false;
        if (this.destroyed) return;
        const news = ended.since(this.#seen);
        this.#seen = news.last;
        const delta = this.#changes.next(live, this.#source.clock.nowMs(), news.connections);
        this.push(`${JSON.stringify(delta)}\n`);
      },
      (error: unknown) => this.destroy(error as Error),
    );
  }
}
