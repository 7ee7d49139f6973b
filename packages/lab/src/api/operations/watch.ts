import type { Clock } from '@ambient/runtime';

import { ApiError, expired } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { ObjectTable, StorageEvent } from '../storage/object-table.ts';
import type { ListOptions } from './list-options.ts';
import { targetKey } from './request.ts';
import type { Target } from './request.ts';

export type WatchEventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** What a watch tells. */
export interface WatchSink {
  /**
   * @param shared the change that this event tells of, the same for all watches; undefined for the initial events,
   *   which are told to this watch alone
   */
  event(type: WatchEventType, object: ApiObject, shared: StorageEvent | undefined): void;
  /** Nothing below this resourceVersion is yet to come. */
  bookmark(resourceVersion: string, endOfInitialEvents: boolean): void;
  error(error: ApiError): void;
  end(): void;
}

const bookmarkIntervalMs = 60_000;
/** Clients reconnect then; it is also what ends watches that nobody reads any more. */
const defaultTimeoutMs = 45 * 60_000;

/**
 * Tells a sink of the changes to the objects of a target, from a resourceVersion on, until it is disposed, its time is
 * over or the resource goes away. Everything that is due at once is told before this returns.
 *
 * @throws ApiError 504 for a resourceVersion of the future
 */
export function watchObjects(
  store: ObjectStore,
  clock: Clock,
  target: Target,
  options: ListOptions,
  sink: WatchSink,
): Disposable {
  const table = store.table(targetKey(target));
  const from = options.resourceVersion === '' ? 0 : Number(options.resourceVersion);
  if (from > store.resourceVersion)
    throw new ApiError(
      504,
      'Timeout',
      `Too large resource version: ${from}, current: ${store.resourceVersion}`,
      {
        causes: [{ reason: 'ResourceVersionTooLarge', message: 'Too large resource version' }],
        retryAfterSeconds: 1,
      },
    );
  const watch = new Watch(store, clock, table, target, options, sink);
  if (options.sendInitialEvents || from === 0) watch.tellAll();
  else if (from < table.oldestWatchable) {
    sink.error(expired(`too old resource version: ${from} (${table.oldestWatchable})`));
    sink.end();
    return { [Symbol.dispose]: () => {} };
  } else for (const event of table.eventsAfter(from)) watch.tell(event, undefined);
  watch.start();
  return watch;
}

class Watch implements Disposable {
  readonly #store: ObjectStore;
  readonly #clock: Clock;
  readonly #table: ObjectTable;
  readonly #namespace: string | undefined;
  readonly #options: ListOptions;
  readonly #sink: WatchSink;
  readonly #owned = new DisposableStack();
  #bookmark: Disposable | undefined;

  constructor(
    store: ObjectStore,
    clock: Clock,
    table: ObjectTable,
    target: Target,
    options: ListOptions,
    sink: WatchSink,
  ) {
    this.#store = store;
    this.#clock = clock;
    this.#table = table;
    this.#namespace = target.namespace;
    this.#options = options;
    this.#sink = sink;
  }

  tellAll(): void {
    for (const object of this.#table.inNamespace(this.#namespace))
      if (this.#matches(object)) this.#sink.event('ADDED', object, undefined);
    if (this.#options.sendInitialEvents && this.#options.allowWatchBookmarks)
      this.#sink.bookmark(String(this.#store.resourceVersion), true);
  }

  start(): void {
    const { timeoutSeconds } = this.#options;
    const end = (): void => {
      this[Symbol.dispose]();
      this.#sink.end();
    };
    this.#owned.use(this.#table.listen((event) => this.tell(event, event), end));
    this.#owned.use(
      this.#clock.setTimer(timeoutSeconds === undefined ? defaultTimeoutMs : timeoutSeconds * 1000, end),
    );
    if (this.#options.allowWatchBookmarks) this.#armBookmark();
  }

  /** What a change means to this watch: an object that its selector no longer matches is gone for it. */
  tell(event: StorageEvent, shared: StorageEvent | undefined): void {
    const { object, previous } = event;
    if (this.#namespace !== undefined && object.metadata.namespace !== this.#namespace) return;
    if (this.#options.selector === undefined) {
      this.#sink.event(event.type, object, shared);
      return;
    }
    const before = previous !== undefined && this.#matches(previous);
    const after = event.type !== 'DELETED' && this.#matches(object);
    if (after)
      this.#sink.event(
        before ? 'MODIFIED' : 'ADDED',
        object,
        before === (event.type === 'MODIFIED') ? shared : undefined,
      );
    else if (before) {
      if (event.type === 'DELETED') this.#sink.event('DELETED', object, shared);
      // The state that it matched in, under the resourceVersion that took it away.
      else
        this.#sink.event(
          'DELETED',
          {
            ...previous,
            metadata: { ...previous.metadata, resourceVersion: object.metadata.resourceVersion! },
          },
          undefined,
        );
    }
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
    this.#bookmark?.[Symbol.dispose]();
  }

  #matches(object: ApiObject): boolean {
    if (this.#namespace !== undefined && object.metadata.namespace !== this.#namespace) return false;
    return this.#options.selector === undefined || this.#options.selector(object);
  }

  #armBookmark(): void {
    this.#bookmark = this.#clock.setTimer(bookmarkIntervalMs, () => {
      this.#sink.bookmark(String(this.#store.resourceVersion), false);
      this.#armBookmark();
    });
  }
}
