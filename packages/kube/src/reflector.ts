import { Backoff, realClock } from '@ambient/runtime';
import type { Clock, Logger } from '@ambient/runtime';

import { KubeConnectionError, KubeStatusError } from './errors.ts';
import type { ListWatch, WatchEvent } from './list-watch.ts';
import type { KubeObject } from './objects.ts';
import { objectKey } from './trim.ts';

/** Where a reflector keeps its objects, by `objectKey`: the one copy of them. */
export interface ReflectorTarget<T> {
  get(key: string): T | undefined;
  /** A snapshot: objects may be removed while it is walked. */
  keys(): Iterable<string>;
  put(key: string, object: T): void;
  remove(key: string): void;
}

export interface ReflectorOptions<T> {
  readonly source: ListWatch;
  readonly target: ReflectorTarget<T>;
  /** The object as it is kept; undefined for what is no object of this kind. */
  readonly prepare: (raw: unknown) => T | undefined;
  readonly log: Logger;
  readonly clock?: Clock;
  /** Called once, when the first list is complete. */
  readonly onSynced?: () => void;
  /** Objects a page; 500 if absent. */
  readonly pageSize?: number;
  /** A watch that says nothing for so long is replaced; 90 s if absent (servers send a bookmark a minute). Milliseconds. */
  readonly silenceMs?: number;
  readonly random?: () => number;
}

/** A reflector as dumps show it. */
export interface ReflectorState {
  readonly path: string;
  readonly phase: 'stopped' | 'listing' | 'watching' | 'waiting';
  readonly synced: boolean;
  /** '' while a list is due. */
  readonly resourceVersion: string;
  readonly lists: number;
  readonly watches: number;
  readonly events: number;
  /** Unix time in milliseconds, undefined if nothing has come. */
  readonly lastActivityMs: number | undefined;
  /** Failures in a row. */
  readonly failures: number;
  readonly lastError: string;
  /** Items that were no objects. */
  readonly malformed: number;
}

/** A watch that lived shorter than this has not been worth its request, even if it ended cleanly. */
const briefMs = 1000;
/** After so long, past failures count no more. */
const steadyMs = 10_000;
/** However long the server was away, it is followed again within seconds of its return. */
const backoff = { initialMs: 200, maxMs: 5000, jitter: 0.25 };

/**
 * Keeps a target in step with one collection of the API: lists, watches from there on, and lists again when the server has
 * forgotten where it was. A new list changes only what differs, by uid and resourceVersion. Whatever the server does, attempts
 * are spaced by a growing delay unless a watch has lived.
 */
export class Reflector<T extends KubeObject> {
  readonly #options: ReflectorOptions<T>;
  readonly #clock: Clock;
  readonly #backoff: Backoff;
  #abort: AbortController | undefined;
  #running: Promise<void> = Promise.resolve();
  #phase: ReflectorState['phase'] = 'stopped';
  #synced = false;
  #version = '';
  /** The server counts from an earlier state again: versions that are equal may be of different contents. */
  #rewound = false;
  #lists = 0;
  #watches = 0;
  #events = 0;
  #malformed = 0;
  #lastActivityMs: number | undefined;
  #lastError = '';

  constructor(options: ReflectorOptions<T>) {
    this.#options = options;
    this.#clock = options.clock ?? realClock;
    this.#backoff = new Backoff({
      ...backoff,
      ...(options.random === undefined ? {} : { random: options.random }),
    });
  }

  /** The first list is complete. */
  get synced(): boolean {
    return this.#synced;
  }

  /** Begins to list; without effect while running. */
  start(): void {
    if (this.#abort !== undefined) return;
    this.#abort = new AbortController();
    this.#running = this.#run(this.#abort.signal);
  }

  /** Ends list or watch; the target keeps its objects. Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    this.#abort?.abort();
    this.#abort = undefined;
    await this.#running;
  }

  state(): ReflectorState {
    return {
      path: this.#options.source.path,
      phase: this.#phase,
      synced: this.#synced,
      resourceVersion: this.#version,
      lists: this.#lists,
      watches: this.#watches,
      events: this.#events,
      lastActivityMs: this.#lastActivityMs,
      failures: this.#backoff.attempts,
      lastError: this.#lastError,
      malformed: this.#malformed,
    };
  }

  async #run(signal: AbortSignal): Promise<void> {
    while (!signal.aborted) {
      let waitMs: number;
      try {
        if (this.#version === '') await this.#list(signal);
        if (signal.aborted) break;
        const livedMs = await this.#watch(signal);
        waitMs = livedMs >= briefMs ? 0 : this.#failed(this.#brief(livedMs));
      } catch (error) {
        if (signal.aborted) break;
        waitMs = this.#failed(error);
      }
      if (waitMs > 0 && !signal.aborted) {
        this.#phase = 'waiting';
        await this.#sleep(waitMs, signal);
      }
    }
    this.#phase = 'stopped';
  }

  async #list(signal: AbortSignal): Promise<void> {
    const { source, target, pageSize = 500 } = this.#options;
    this.#phase = 'listing';
    this.#lists++;
    const seen = new Set<string>();
    let limit = pageSize;
    let next = '';
    for (;;) {
      let page;
      try {
        page = await source.list(next, limit, signal);
      } catch (error) {
        if (!(error instanceof KubeStatusError && error.expired && next !== '')) throw error;
        // The snapshot that the pages are cut from is gone before the last of them: ask for all of it at once.
        limit = 0;
        next = '';
        seen.clear();
        continue;
      }
      if (signal.aborted) return;
      this.#lastActivityMs = this.#clock.nowMs();
      for (const raw of page.items) {
        const object = this.#prepare(raw);
        if (object === undefined) continue;
        const key = objectKey(object);
        seen.add(key);
        if (this.#rewound || !sameVersion(target.get(key), object)) target.put(key, object);
      }
      next = page.next;
      if (next !== '') continue;
      for (const key of target.keys()) if (!seen.has(key)) target.remove(key);
      this.#version = page.resourceVersion;
      this.#rewound = false;
      break;
    }
    this.#options.log.debug('listed', { path: source.path, objects: seen.size, version: this.#version });
    if (this.#synced) return;
    this.#synced = true;
    this.#options.onSynced?.();
  }

  /** @returns how long the watch lived, milliseconds */
  async #watch(signal: AbortSignal): Promise<number> {
    const { source, silenceMs = 90_000 } = this.#options;
    this.#phase = 'watching';
    this.#watches++;
    const startedMs = this.#clock.nowMs();
    let lastMs = startedMs;
    const own = new AbortController();
    const onAbort = (): void => own.abort();
    signal.addEventListener('abort', onAbort, { once: true });
    let silent = false;
    const guard = (afterMs: number): Disposable =>
      this.#clock.setTimer(afterMs, () => {
        const leftMs = lastMs + silenceMs - this.#clock.nowMs();
        if (leftMs > 0) timer = guard(leftMs);
        else {
          silent = true;
          own.abort();
        }
      });
    let timer = guard(silenceMs);
    const onActivity = (): void => {
      lastMs = this.#clock.nowMs();
      this.#lastActivityMs = lastMs;
      if (lastMs - startedMs >= steadyMs) this.#recovered();
    };
    try {
      await source.watch(this.#version, (event) => this.#apply(event, signal), onActivity, own.signal);
    } catch (error) {
      if (!silent) throw error;
      // Nothing is known to be lost: go on from the same version.
      this.#options.log.debug('watch was silent, opening another', { path: source.path });
    } finally {
      timer[Symbol.dispose]();
      signal.removeEventListener('abort', onAbort);
    }
    const livedMs = this.#clock.nowMs() - startedMs;
    if (livedMs >= steadyMs) this.#recovered();
    return livedMs;
  }

  #apply(event: WatchEvent, signal: AbortSignal): void {
    if (signal.aborted) return;
    this.#events++;
    if (isEarlier(event.resourceVersion, this.#version)) {
      this.#rewound = true;
      throw new KubeStatusError(
        `watch of ${this.#options.source.path}`,
        410,
        'Rewound',
        `version ${event.resourceVersion} came after ${this.#version}; the server was restored from an older state`,
      );
    }
    if (event.type !== 'bookmark') {
      const object = this.#prepare(event.object);
      if (object !== undefined) {
        const { target } = this.#options;
        const key = objectKey(object);
        if (event.type === 'remove') target.remove(key);
        else if (!sameVersion(target.get(key), object)) target.put(key, object);
      }
    }
    if (event.resourceVersion !== '') this.#version = event.resourceVersion;
  }

  #prepare(raw: unknown): T | undefined {
    const object = this.#options.prepare(raw);
    if (object === undefined) this.#malformed++;
    return object;
  }

  #brief(livedMs: number): KubeConnectionError {
    const where = `watch of ${this.#options.source.path}`;
    return new KubeConnectionError('KUBE_CONNECT', `${where}: the server ended it after ${livedMs} ms`);
  }

  #failed(error: unknown): number {
    const expired = error instanceof KubeStatusError && error.expired;
    const garbled = error instanceof KubeConnectionError && error.code === 'KUBE_BODY';
    // After an event that could not be read, only a list tells what it was.
    const unreached = error instanceof KubeStatusError && error.unreached;
    if (unreached) this.#rewound = true;
    if (expired || garbled || unreached) this.#version = '';
    const askedMs = (error instanceof KubeStatusError ? error.retryAfterMs : undefined) ?? 0;
    const waitMs = Math.round(Math.max(askedMs, this.#backoff.nextMs()));
    this.#lastError = error instanceof Error ? error.message : String(error);
    this.#options.log.log(expired ? 'debug' : 'warn', 'cannot follow the API server, trying again', {
      path: this.#options.source.path,
      error: this.#lastError,
      retry_in: `${waitMs}ms`,
      failures: this.#backoff.attempts,
    });
    return waitMs;
  }

  #recovered(): void {
    if (this.#backoff.attempts === 0) return;
    this.#backoff.reset();
    this.#lastError = '';
  }

  #sleep(ms: number, signal: AbortSignal): Promise<void> {
    return new Promise((resolve) => {
      const end = (): void => {
        timer[Symbol.dispose]();
        signal.removeEventListener('abort', end);
        resolve();
      };
      const timer = this.#clock.setTimer(ms, end);
      signal.addEventListener('abort', end, { once: true });
    });
  }
}

/** Versions are decimal and grow, over all of the API (KEP-5504); of any other form nothing is said. */
function isEarlier(version: string, than: string): boolean {
  const decimal = /^\d{1,30}$/;
  return decimal.test(version) && decimal.test(than) && BigInt(version) < BigInt(than);
}

function sameVersion(known: KubeObject | undefined, arrived: KubeObject): boolean {
  return (
    known?.metadata.resourceVersion !== undefined &&
    known.metadata.resourceVersion === arrived.metadata.resourceVersion &&
    known.metadata.uid === arrived.metadata.uid &&
    known.apiVersion === arrived.apiVersion
  );
}
