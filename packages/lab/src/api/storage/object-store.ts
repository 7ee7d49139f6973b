import type { ApiObject } from '../object.ts';
import type { Journal, StoredEntry } from './journal.ts';
import { ObjectTable, objectKey } from './object-table.ts';
import type { EventType, StorageEvent } from './object-table.ts';

/** How many changes of each resource are kept for watches, at least. */
const defaultRingSize = 8192;

/** @param resource `plural.group`, with the dot for the core group too */
export type StoreListener = (event: StorageEvent, resource: string) => void;

export interface ObjectStoreOptions {
  readonly ringSize?: number;
  /** Where changes are written; absent, they die with the process. */
  readonly journal?: Journal;
}

/**
 * Everything that the API holds: one counter of changes over all resources, one table for each. A resource is named
 * `plural.group`, whatever version it is asked for.
 */
export class ObjectStore {
  readonly #listeners = new Set<StoreListener>();
  readonly #tables = new Map<string, ObjectTable>();
  readonly #ringSize: number;
  readonly #journal: Journal | undefined;
  #revision = 0;

  constructor(options: ObjectStoreOptions = {}) {
    this.#ringSize = options.ringSize ?? defaultRingSize;
    this.#journal = options.journal;
    for (const entry of this.#journal?.recovered ?? [])
      this.table(entry.resource).restore(entry.key, entry.object);
    this.#revision = this.#journal?.recoveredRevision ?? 0;
    for (const table of this.#tables.values()) table.forgetUpTo(this.#revision);
  }

  /** The resourceVersion of the last change. */
  get resourceVersion(): number {
    return this.#revision;
  }

  /** The table of a resource, made on first use. */
  table(resource: string): ObjectTable {
    let table = this.#tables.get(resource);
    if (table === undefined) {
      table = new ObjectTable(this.#ringSize, this.#revision);
      this.#tables.set(resource, table);
    }
    return table;
  }

  /** Calls `listener` for every change of any resource. */
  listen(listener: StoreListener): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => this.#listeners.delete(listener) };
  }

  tables(): IterableIterator<[string, ObjectTable]> {
    return this.#tables.entries();
  }

  get(resource: string, namespace: string | undefined, name: string): ApiObject | undefined {
    return this.#tables.get(resource)?.get(objectKey(namespace, name));
  }

  /** Stores an object, which becomes the store's and is given its resourceVersion. */
  put(resource: string, object: ApiObject): ApiObject {
    const table = this.table(resource);
    const key = objectKey(object.metadata.namespace, object.metadata.name);
    const previous = table.get(key);
    return this.#commit(
      resource,
      table,
      key,
      previous === undefined ? 'ADDED' : 'MODIFIED',
      object,
      previous,
    );
  }

  /** Removes an object, and returns what the watchers are told of: its last state, under a resourceVersion of its own. */
  delete(resource: string, namespace: string | undefined, name: string): ApiObject | undefined {
    const table = this.table(resource);
    const key = objectKey(namespace, name);
    const previous = table.get(key);
    if (previous === undefined) return undefined;
    const last = { ...previous, metadata: { ...previous.metadata } };
    return this.#commit(resource, table, key, 'DELETED', last, previous);
  }

  /** Removes a resource with all its objects, and ends its watches. */
  dropTable(resource: string): void {
    const table = this.#tables.get(resource);
    if (table === undefined) return;
    for (const object of [...table.values()])
      this.delete(resource, object.metadata.namespace, object.metadata.name);
    this.#tables.delete(resource);
    table.end();
  }

  #commit(
    resource: string,
    table: ObjectTable,
    key: string,
    type: EventType,
    object: ApiObject,
    previous: ApiObject | undefined,
  ): ApiObject {
    const resourceVersion = ++this.#revision;
    object.metadata.resourceVersion = String(resourceVersion);
    this.#journal?.append({ resource, key, resourceVersion, ...(type === 'DELETED' ? {} : { object }) });
    const event: StorageEvent = { type, object, previous, resourceVersion };
    table.commit(key, event);
    for (const listener of this.#listeners) listener(event, resource);
    if (this.#journal?.wantsSnapshot === true)
      this.#journal.replaceBySnapshot(this.#revision, this.#liveEntries());
    return object;
  }

  *#liveEntries(): Generator<StoredEntry> {
    for (const [resource, table] of this.#tables)
      for (const object of table.values())
        yield { resource, key: objectKey(object.metadata.namespace, object.metadata.name), object };
  }
}
