import { objectKey } from '@ambient/kube';
import type { KubeObject, ReflectorTarget } from '@ambient/kube';

/** The values under which an object is found in one index. */
export type IndexOf<T> = (object: T) => Iterable<string>;

/** Told of an object as it is now (undefined: gone) and as it was (undefined: new). At least one is there. */
export type ChangeListener<T> = (object: T | undefined, previous: T | undefined) => void;

/**
 * The objects of one kind by `namespace/name`, with indexes. It hears of them from a reflector, and from the answers to this
 * process's own writes, which are there before the watch tells of them: whoever looks after a write sees what it did.
 */
export class Table<T extends KubeObject, Index extends string = string> implements ReflectorTarget<T> {
  readonly #objects = new Map<string, T>();
  readonly #indexOf: Readonly<Record<Index, IndexOf<T>>>;
  readonly #indexes: ReadonlyMap<Index, Map<string, Map<string, T>>>;
  readonly #listeners = new Set<ChangeListener<T>>();
  #followedTo: () => string = () => '';

  constructor(indexOf: Readonly<Record<Index, IndexOf<T>>>) {
    this.#indexOf = indexOf;
    this.#indexes = new Map((Object.keys(indexOf) as Index[]).map((name) => [name, new Map()]));
  }

  /** @param version the resourceVersion up to which the reflector has told everything; '' while it lists */
  followedBy(version: () => string): void {
    this.#followedTo = version;
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): T | undefined {
    return this.#objects.get(key);
  }

  keys(): Iterable<string> {
    return [...this.#objects.keys()];
  }

  values(): Iterable<T> {
    return this.#objects.values();
  }

  /** The objects under one value of an index. */
  by(index: Index, value: string): Iterable<T> {
    return this.#indexes.get(index)?.get(value)?.values() ?? [];
  }

  /** From the reflector. What is known by an own write already is not news. */
  put(key: string, object: T): void {
    const previous = this.#objects.get(key);
    if (previous !== undefined && isOlder(object, previous)) return;
    this.#set(key, object, previous);
  }

  remove(key: string): void {
    const previous = this.#objects.get(key);
    if (previous === undefined) return;
    this.#objects.delete(key);
    this.#unindex(key, previous);
    for (const listener of this.#listeners) listener(undefined, previous);
  }

  /** What a write was answered with, unless the reflector is beyond it. */
  learn(object: T): void {
    const followedTo = this.#followedTo();
    if (followedTo !== '' && !isLater(object.metadata.resourceVersion ?? '', followedTo)) return;
    this.put(objectKey(object), object);
  }

  /** An own deletion went through: whatever the watch has still to tell, the object is on its way out. */
  learnDeletion(object: T, deletionTimestamp: string): void {
    const key = objectKey(object);
    const known = this.#objects.get(key);
    if (known === undefined || known.metadata.uid !== object.metadata.uid) return;
    if (known.metadata.deletionTimestamp !== undefined) return;
    const answered = object.metadata.resourceVersion ?? '';
    const version = known.metadata.resourceVersion ?? '';
    const resourceVersion = isLater(answered, version) ? answered : version;
    this.#set(key, { ...known, metadata: { ...known.metadata, deletionTimestamp, resourceVersion } }, known);
  }

  listen(listener: ChangeListener<T>): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  #set(key: string, object: T, previous: T | undefined): void {
    if (previous !== undefined) this.#unindex(key, previous);
    this.#objects.set(key, object);
    for (const [name, index] of this.#indexes)
      for (const value of this.#indexOf[name](object)) {
        let found = index.get(value);
        if (found === undefined) index.set(value, (found = new Map<string, T>()));
        found.set(key, object);
      }
    for (const listener of this.#listeners) listener(object, previous);
  }

  #unindex(key: string, object: T): void {
    for (const [name, index] of this.#indexes)
      for (const value of this.#indexOf[name](object)) {
        const found = index.get(value);
        found?.delete(key);
        if (found?.size === 0) index.delete(value);
      }
  }
}

/** Versions are decimal numbers that grow (KEP-5504). */
function isLater(version: string, than: string): boolean {
  return version.length === than.length ? version > than : version.length > than.length;
}

function isOlder({ metadata: arrived }: KubeObject, { metadata: known }: KubeObject): boolean {
  if (arrived.uid !== known.uid) return false;
  return !isLater(arrived.resourceVersion ?? '', known.resourceVersion ?? '');
}
