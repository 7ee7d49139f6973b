import type { ApiObject } from '../object.ts';

export type EventType = 'ADDED' | 'MODIFIED' | 'DELETED';

/** One change of one object. */
export interface StorageEvent {
  readonly type: EventType;
  /** The object after the change; of a deletion, its last state under the deletion's resourceVersion. */
  readonly object: ApiObject;
  /** The object before the change; a selector may have matched only that one. */
  readonly previous: ApiObject | undefined;
  readonly resourceVersion: number;
}

export type StorageListener = (event: StorageEvent) => void;

/** Objects in order of their keys, as they were at one resourceVersion. */
export interface TableSnapshot {
  readonly resourceVersion: number;
  readonly keys: readonly string[];
  readonly objects: readonly ApiObject[];
}

/** How an object is keyed and ordered within its resource. */
export function objectKey(namespace: string | undefined, name: string): string {
  return namespace === undefined || namespace === '' ? name : `${namespace}/${name}`;
}

/**
 * The objects of one resource, in key order, and the last changes of it. The store owns it and alone writes to it.
 * The changes are a ring: a watch that begins below it has missed some, and must list again.
 */
export class ObjectTable {
  readonly #objects = new Map<string, ApiObject>();
  readonly #ringSize: number;
  readonly #listeners = new Set<StorageListener>();
  readonly #recentSnapshots: TableSnapshot[] = [];
  #keys: string[] = [];
  #ring: StorageEvent[] = [];
  /** Changes at or below it are forgotten. */
  #forgottenUpTo: number;
  #onEnd = new Set<() => void>();

  /** @param startRevision the store's revision when this table begins to record */
  constructor(ringSize: number, startRevision: number) {
    this.#ringSize = ringSize;
    this.#forgottenUpTo = startRevision;
  }

  get size(): number {
    return this.#objects.size;
  }

  /** The lowest resourceVersion from which a watch can start without a gap. */
  get oldestWatchable(): number {
    return this.#forgottenUpTo;
  }

  get(key: string): ApiObject | undefined {
    return this.#objects.get(key);
  }

  values(): IterableIterator<ApiObject> {
    return this.#objects.values();
  }

  /** The objects of a namespace, or of all. */
  *inNamespace(namespace: string | undefined): Generator<ApiObject> {
    if (namespace === undefined) {
      yield* this.#objects.values();
      return;
    }
    const [from, to] = keyRange(this.#keys, namespace);
    for (const key of this.#keys.slice(from, to)) {
      const object = this.#objects.get(key);
      if (object !== undefined) yield object;
    }
  }

  /**
   * All objects as of now. A snapshot is kept for a while, so that the later pages of a list tell of the same moment
   * as the first.
   */
  snapshot(resourceVersion: number): TableSnapshot {
    const latest = this.#recentSnapshots.at(-1);
    const lastChange = this.#ring.at(-1)?.resourceVersion ?? this.#forgottenUpTo;
    if (latest !== undefined && latest.resourceVersion >= lastChange) return latest;
    const snapshot = {
      resourceVersion,
      keys: [...this.#keys],
      objects: this.#keys.map((key) => this.#objects.get(key)!),
    };
    this.#recentSnapshots.push(snapshot);
    if (this.#recentSnapshots.length > keptSnapshots) this.#recentSnapshots.shift();
    return snapshot;
  }

  /** The snapshot that an earlier page was cut from, unless it is forgotten. */
  snapshotAt(resourceVersion: number): TableSnapshot | undefined {
    return this.#recentSnapshots.find((each) => each.resourceVersion === resourceVersion);
  }

  /** The recorded changes above a resourceVersion, which must not be below {@link oldestWatchable}. */
  eventsAfter(resourceVersion: number): readonly StorageEvent[] {
    let low = 0;
    let high = this.#ring.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#ring[middle]!.resourceVersion > resourceVersion) high = middle;
      else low = middle + 1;
    }
    return this.#ring.slice(low);
  }

  /**
   * Calls `listener` for every change from now on, in order and before the change's writer goes on.
   *
   * @param onEnd called once if the resource itself goes away
   */
  listen(listener: StorageListener, onEnd: () => void = () => {}): Disposable {
    this.#listeners.add(listener);
    this.#onEnd.add(onEnd);
    return {
      [Symbol.dispose]: () => {
        this.#listeners.delete(listener);
        this.#onEnd.delete(onEnd);
      },
    };
  }

  /** For the store: makes the change, records it and tells the listeners. */
  commit(key: string, event: StorageEvent): void {
    this.#change(key, event);
    this.#ring.push(event);
    // Cutting half of it at a time makes the cost of forgetting constant per change.
    if (this.#ring.length >= this.#ringSize * 2) {
      this.#ring = this.#ring.slice(-this.#ringSize);
      this.#forgottenUpTo = this.#ring[0]!.resourceVersion - 1;
    }
    for (const listener of [...this.#listeners]) listener(event);
  }

  /** For the store: an object that was there before this process. */
  restore(key: string, object: ApiObject): void {
    this.#change(key, { type: 'ADDED', object, previous: undefined, resourceVersion: 0 });
  }

  /** For the store: nothing before this resourceVersion was seen by this process. */
  forgetUpTo(resourceVersion: number): void {
    this.#forgottenUpTo = resourceVersion;
  }

  /** For the store: the resource is gone; all who listen are told so. */
  end(): void {
    const waiting = [...this.#onEnd];
    this.#listeners.clear();
    this.#onEnd.clear();
    for (const onEnd of waiting) onEnd();
  }

  #change(key: string, event: StorageEvent): void {
    const index = lowerBound(this.#keys, key);
    const present = this.#keys[index] === key;
    if (event.type === 'DELETED') {
      if (present) this.#keys.splice(index, 1);
      this.#objects.delete(key);
      return;
    }
    if (!present) {
      if (index === this.#keys.length) this.#keys.push(key);
      else this.#keys.splice(index, 0, key);
    }
    this.#objects.set(key, event.object);
  }
}

/** Enough for some clients that page through the same resource at once. */
const keptSnapshots = 16;

/** The first index whose key is not below `key`. */
export function lowerBound(keys: readonly string[], key: string): number {
  let low = 0;
  let high = keys.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (keys[middle]! < key) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The indexes [from, to) of a namespace's keys. */
export function keyRange(keys: readonly string[], namespace: string): [number, number] {
  // '0' is the character after '/'.
  return [lowerBound(keys, `${namespace}/`), lowerBound(keys, `${namespace}0`)];
}
