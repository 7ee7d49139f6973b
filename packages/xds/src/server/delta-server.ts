import { describeError, realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { Admission } from './admission.ts';
import { DeltaStream } from './delta-stream.ts';
import type { StreamHoldings } from './delta-stream.ts';
import type { ClientIdentity } from './node-check.ts';
import { DiscoveryRefusal } from './refusal.ts';
import type { ResourceTable } from './resource-table.ts';
import { Session } from './session.ts';
import type { ConnectionStatus, DeltaServerMetrics, StreamTransport } from './session.ts';
import { SharedResponses } from './shared-responses.ts';
import { WriteBudget } from './write-budget.ts';

/** Limits and delays; each has a default that was chosen by measurement or is upstream's. */
export interface DeltaServerLimits {
  /** Changes wait until none came for so long (PILOT_DEBOUNCE_AFTER). */
  readonly debounceAfterMs: number;
  /** But never longer than this (PILOT_DEBOUNCE_MAX). */
  readonly debounceMaxMs: number;
  /** New streams served per second (PILOT_MAX_REQUESTS_PER_SECOND). */
  readonly admissionsPerSecond: number;
  /** Streams that wait to be admitted; more are refused. */
  readonly maxWaiting: number;
  /** Streams, those that wait included. */
  readonly maxStreams: number;
  /** For the first request of a stream, and for the answer to each response. */
  readonly answerTimeoutMs: number;
  /** For deciding who the client is. */
  readonly authenticationTimeoutMs: number;
  /** Names that one stream may ask for. */
  readonly maxNames: number;
  /**
   * A longer response is split. That is far above what a mesh of 50,000 pods needs: a client takes itself for synchronized
   * after one accepted response of each type, so everything should come in the first.
   */
  readonly maxResponseBytes: number;
  /** Long responses written and not yet on the network, all streams together; newcomers wait for their first one meanwhile. */
  readonly maxUnflushedBytes: number;
  /** How long an answer waits for the client to subscribe to types that are sent earlier. */
  readonly orderGraceMs: number;
}

const defaultDeltaServerLimits: DeltaServerLimits = {
  debounceAfterMs: 20,
  debounceMaxMs: 50,
  admissionsPerSecond: 100,
  maxWaiting: 10_000,
  maxStreams: 12_000,
  answerTimeoutMs: 60_000,
  authenticationTimeoutMs: 10_000,
  maxNames: 200_000,
  maxResponseBytes: 64 * 1024 * 1024,
  maxUnflushedBytes: 64 * 1024 * 1024,
  orderGraceMs: 50,
};

export interface DeltaServerOptions {
  /** In the order in which updates go out: what others refer to first (Authorization, then Address). */
  readonly tables: readonly ResourceTable[];
  readonly log: Logger;
  readonly metrics: DeltaServerMetrics;
  readonly clock?: Clock;
  readonly limits?: Partial<DeltaServerLimits>;
  /** Runs a step of long work after the events that wait now; setImmediate if absent. */
  readonly defer?: (step: () => void) => void;
}

/** What a transport tells the server of its stream. */
export interface StreamEvents {
  receive(bytes: Uint8Array): void;
  drained(): void;
  ended(): void;
}

/** Milliseconds that pushing may keep other events waiting. */
const sliceMs = 8;
const sweepMs = 1000;
/** Sweeps after which shared responses that nobody used are let go. */
const releaseSweeps = 5;

/** Serves tables to many streams: admits and authenticates them, gathers changes for a moment, pushes, closes who does not keep up. */
export class DeltaServer implements Disposable {
  readonly #options: DeltaServerOptions;
  readonly #limits: DeltaServerLimits;
  readonly #clock: Clock;
  readonly #defer: (step: () => void) => void;
  readonly #tables: readonly { readonly table: ResourceTable; readonly shared: SharedResponses }[];
  readonly #admission: Admission;
  readonly #budget: WriteBudget;
  readonly #sessions = new Set<Session>();
  readonly #newcomers = new Set<Newcomer>();
  readonly #listeners: Disposable[];
  #state: 'created' | 'serving' | 'stopped' = 'created';
  #streams = 0;
  #nonce = 0;
  #changedSinceMs: number | undefined;
  #debounce: Disposable | undefined;
  #pushing = false;
  #pumpAll = false;
  #sweep: Disposable | undefined;
  #sweeps = 0;

  constructor(options: DeltaServerOptions) {
    this.#options = options;
    this.#limits = { ...defaultDeltaServerLimits, ...options.limits };
    this.#clock = options.clock ?? realClock;
    this.#defer = options.defer ?? ((step) => void setImmediate(step));
    this.#budget = new WriteBudget(this.#clock, this.#limits.maxUnflushedBytes);
    this.#admission = new Admission({
      clock: this.#clock,
      perSecond: this.#limits.admissionsPerSecond,
      maxWaiting: this.#limits.maxWaiting,
    });
    this.#tables = options.tables.map((table) => ({
      table,
      shared: new SharedResponses({
        table,
        nextNonce: this.#nextNonce,
        maxResponseBytes: this.#limits.maxResponseBytes,
        defer: this.#defer,
        onPrepared: () => this.#startPush(false),
      }),
    }));
    this.#listeners = options.tables.map((table) => table.onChange(() => this.#changed()));
  }

  /** Streams that are served. */
  get connectionCount(): number {
    return this.#sessions.size;
  }

  /** From now on streams are admitted. Not before the tables are complete: what they lack, a returning client would remove. */
  start(): void {
    if (this.#state === 'created') this.#state = 'serving';
  }

  /** Ends all streams cleanly, so that the clients go to another server, and takes no more. */
  stop(): void {
    if (this.#state === 'stopped') return;
    this.#state = 'stopped';
    for (const listener of this.#listeners) listener[Symbol.dispose]();
    this.#debounce?.[Symbol.dispose]();
    this.#sweep?.[Symbol.dispose]();
    for (const newcomer of [...this.#newcomers]) newcomer.refuse(undefined);
    for (const session of [...this.#sessions]) session.close();
    this.#admission[Symbol.dispose]();
  }

  [Symbol.dispose](): void {
    this.stop();
  }

  /** Takes a new stream. The transport delivers requests once it is told to read. */
  accept(transport: StreamTransport): StreamEvents {
    const newcomer = new Newcomer(transport, () => this.#newcomers.delete(newcomer));
    if (this.#state !== 'serving') {
      this.#refuse(
        newcomer,
        new DiscoveryRefusal(
          'XDS_NOT_READY',
          this.#state === 'stopped'
            ? 'the control plane is shutting down; another replica serves'
            : 'the control plane has not read the cluster yet; come again in a moment',
        ),
      );
      return newcomer;
    }
    this.#newcomers.add(newcomer);
    const overloaded = this.#sessions.size + this.#newcomers.size > this.#limits.maxStreams;
    let admitted = false;
    const admit = (): void => {
      admitted = true;
      this.#authenticate(newcomer);
    };
    const place = overloaded ? undefined : this.#admission.enter(admit);
    if (place === undefined)
      this.#refuse(
        newcomer,
        new DiscoveryRefusal(
          'XDS_OVERLOADED',
          `${this.#sessions.size} streams are served and ${this.#admission.waiting} wait; come again later, or add replicas`,
        ),
      );
    else if (!admitted) newcomer.own(place);
    return newcomer;
  }

  /** The streams that are served, for debug pages. */
  connections(): ConnectionStatus[] {
    return [...this.#sessions].map((session) => session.status());
  }

  /** What one stream has asked for and been sent; undefined if it is over. @param id as in `connections` */
  holdings(id: number): StreamHoldings[] | undefined {
    for (const session of this.#sessions) if (session.id === id) return session.holdings();
    return undefined;
  }

  readonly #nextNonce = (): string => (++this.#nonce).toString(36);

  #authenticate(newcomer: Newcomer): void {
    newcomer.own(
      this.#clock.setTimer(this.#limits.authenticationTimeoutMs, () =>
        this.#refuse(
          newcomer,
          new DiscoveryRefusal(
            'XDS_AUTHENTICATION_FAILED',
            `who the client is could not be found out within ${this.#limits.authenticationTimeoutMs} ms; ` +
              'check that the control plane reaches the Kubernetes API',
          ),
        ),
      ),
    );
    newcomer.transport.authenticate().then(
      (identity) => this.#serve(newcomer, identity),
      (error: unknown) =>
        this.#refuse(
          newcomer,
          error instanceof DiscoveryRefusal
            ? error
            : new DiscoveryRefusal('XDS_AUTHENTICATION_FAILED', 'who the client is could not be found out', {
                cause: error,
              }),
        ),
    );
  }

  #serve(newcomer: Newcomer, identity: ClientIdentity): void {
    if (!this.#newcomers.has(newcomer)) return;
    const { log, metrics } = this.#options;
    const session: Session = new Session({
      id: ++this.#streams,
      transport: newcomer.transport,
      identity,
      stream: new DeltaStream({
        tables: this.#tables,
        nextNonce: this.#nextNonce,
        maxNames: this.#limits.maxNames,
        orderGraceMs: this.#limits.orderGraceMs,
      }),
      clock: this.#clock,
      log,
      metrics,
      budget: this.#budget,
      answerTimeoutMs: this.#limits.answerTimeoutMs,
      onClosed: (refusal) => {
        this.#sessions.delete(session);
        if (refusal !== undefined) this.#logRefusal(refusal, newcomer.transport.peer, identity.principal);
        metrics.connections(this.#sessions.size);
      },
    });
    this.#sessions.add(session);
    metrics.connections(this.#sessions.size);
    this.#sweep ??= this.#clock.setTimer(sweepMs, () => this.#sweepAll());
    newcomer.become(session);
  }

  #refuse(newcomer: Newcomer, refusal: DiscoveryRefusal): void {
    if (newcomer.refuse(refusal)) this.#logRefusal(refusal, newcomer.transport.peer, '');
  }

  #logRefusal(refusal: DiscoveryRefusal, peer: string, principal: string): void {
    this.#options.metrics.refused(refusal.code);
    this.#options.log.warn('discovery stream refused', {
      code: refusal.code,
      error: refusal.message,
      ...(refusal.cause === undefined ? {} : { cause: describeError(refusal.cause) }),
      peer,
      principal,
    });
  }

  /** Gathers changes: one that follows soon goes out with this one. */
  #changed(): void {
    const nowMs = this.#clock.nowMs();
    this.#changedSinceMs ??= nowMs;
    const latestMs = this.#changedSinceMs + this.#limits.debounceMaxMs;
    const inMs = Math.max(0, Math.min(this.#limits.debounceAfterMs, latestMs - nowMs));
    this.#debounce?.[Symbol.dispose]();
    this.#debounce = this.#clock.setTimer(inMs, () => {
      this.#changedSinceMs = undefined;
      this.#debounce = undefined;
      for (const session of this.#sessions) session.stream.publish();
      this.#startPush(true);
    });
  }

  /** Lets every stream send, in slices. What comes while one round runs is done in a round of its own after it. */
  #startPush(trim: boolean): void {
    if (this.#pushing) {
      this.#pumpAll = true;
      return;
    }
    this.#pushing = true;
    const sessions = [...this.#sessions];
    let at = 0;
    const step = (): void => {
      const untilMs = performance.now() + sliceMs;
      while (at < sessions.length && performance.now() < untilMs) sessions[at++]!.pump();
      if (at < sessions.length) {
        this.#defer(step);
        return;
      }
      this.#pushing = false;
      if (trim) this.#trim();
      if (!this.#pumpAll) return;
      this.#pumpAll = false;
      this.#startPush(trim);
    };
    step();
  }

  /** Lets the tables forget the changes that nobody lacks. */
  #trim(): void {
    for (const { table, shared } of this.#tables) {
      let oldest = Math.min(table.generation, shared.pinnedGeneration ?? Infinity);
      for (const session of this.#sessions) {
        const cursor = session.stream.cursor(table);
        if (cursor !== undefined && cursor < oldest) oldest = cursor;
      }
      table.trim(oldest);
    }
  }

  #sweepAll(): void {
    const nowMs = this.#clock.nowMs();
    for (const session of [...this.#sessions]) session.checkPatience(nowMs);
    if (++this.#sweeps % releaseSweeps === 0) for (const { shared } of this.#tables) shared.release();
    this.#sweep =
      this.#sessions.size === 0 ? undefined : this.#clock.setTimer(sweepMs, () => this.#sweepAll());
  }
}

/** A stream from its arrival on; once it is admitted and authenticated, its session gets the events. */
class Newcomer implements StreamEvents {
  readonly transport: StreamTransport;
  readonly #left: () => void;
  #owned: Disposable | undefined;
  #session: Session | undefined;
  #over = false;

  constructor(transport: StreamTransport, left: () => void) {
    this.transport = transport;
    this.#left = left;
  }

  /** What is to be disposed at its next step: its place in the queue, then a timer. */
  own(owned: Disposable): void {
    this.#owned?.[Symbol.dispose]();
    this.#owned = owned;
  }

  become(session: Session): void {
    this.#leave();
    this.#session = session;
    this.transport.read();
  }

  /** @returns whether it was not over before */
  refuse(refusal: DiscoveryRefusal | undefined): boolean {
    if (this.#over || this.#session !== undefined) return false;
    this.#over = true;
    this.#leave();
    this.transport.close(refusal);
    return true;
  }

  receive(bytes: Uint8Array): void {
    this.#session?.receive(bytes);
  }

  drained(): void {
    this.#session?.drained();
  }

  ended(): void {
    this.#over = true;
    this.#leave();
    this.#session?.ended();
  }

  #leave(): void {
    this.#owned?.[Symbol.dispose]();
    this.#owned = undefined;
    this.#left();
  }
}
