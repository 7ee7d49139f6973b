import { isDeepStrictEqual } from 'node:util';

import type { KindName, KubeObject, ObjectOf, ReflectorTarget } from '@ambient/kube';
import { indexes } from './indexes.ts';
import type { IndexDeclaration } from './indexes.ts';

/** What a change of a table may have changed for those who asked. */
export interface TableChanges {
  /** The object came, went, or differs. `statusOnly`: in nothing but a status that only its own derivations read. */
  object(kind: KindName, key: string, statusOnly: boolean): void;
  /** What stands under a key of an index, or what readers of the index read of it. */
  index(kind: KindName, index: string, key: string): void;
}

interface Index<T> {
  readonly name: string;
  readonly declaration: IndexDeclaration<T & KubeObject>;
  readonly buckets: Map<string, T[]>;
}

const nothing: readonly never[] = [];

/**
 * Kinds whose status nobody reads but what is derived from the object itself (its own conditions). Writing a condition on a
 * Service must not recompute the pods behind it.
 */
const privateStatus: ReadonlySet<KindName> = new Set([
  'Service',
  'WorkloadEntry',
  'AuthorizationPolicy',
  'PeerAuthentication',
  'HTTPRoute',
  'GRPCRoute',
  'TLSRoute',
  'TCPRoute',
]);

/**
 * The objects of one kind, by key and by the declared indexes. What stands under a key of an index is sorted by namespace and
 * name, so that what is derived from it does not depend on the order in which objects came.
 */
export class ObjectTable<K extends KindName> implements ReflectorTarget<ObjectOf<K>> {
  readonly #kind: K;
  readonly #changes: TableChanges;
  readonly #objects = new Map<string, ObjectOf<K>>();
  readonly #indexes: readonly Index<ObjectOf<K>>[];

  constructor(kind: K, changes: TableChanges) {
    this.#kind = kind;
    this.#changes = changes;
    const declared = indexes[kind] as Readonly<Record<string, IndexDeclaration<ObjectOf<K> & KubeObject>>>;
    this.#indexes = Object.entries(declared).map(([name, declaration]) => ({
      name,
      declaration,
      buckets: new Map(),
    }));
  }

  get size(): number {
    return this.#objects.size;
  }

  get(key: string): ObjectOf<K> | undefined {
    return this.#objects.get(key);
  }

  keys(): string[] {
    return [...this.#objects.keys()];
  }

  values(): IterableIterator<ObjectOf<K>> {
    return this.#objects.values();
  }

  /** What stands under a key of an index, by namespace and name: the table's own list, valid until the next change. */
  list(index: string, key: string): readonly ObjectOf<K>[] {
    return this.#indexes.find(({ name }) => name === index)?.buckets.get(key) ?? nothing;
  }

  /** Adds or replaces. An object that differs in nothing but its resourceVersion changes nothing for anyone. */
  put(key: string, object: ObjectOf<K>): void {
    const before = this.#objects.get(key);
    this.#objects.set(key, object);
    const difference = before === undefined ? 'content' : differenceOf(this.#kind, before, object);
    for (const index of this.#indexes) this.#reindex(index, before, object, difference === 'content');
    if (difference !== 'none') this.#changes.object(this.#kind, key, difference === 'status');
  }

  remove(key: string): void {
    const before = this.#objects.get(key);
    if (before === undefined) return;
    this.#objects.delete(key);
    for (const index of this.#indexes) this.#reindex(index, before, undefined, true);
    this.#changes.object(this.#kind, key, false);
  }

  #reindex(
    { name, declaration, buckets }: Index<ObjectOf<K>>,
    before: ObjectOf<K> | undefined,
    after: ObjectOf<K> | undefined,
    differs: boolean,
  ): void {
    const oldKeys = before === undefined ? nothing : declaration.keys(before);
    const newKeys = after === undefined ? nothing : declaration.keys(after);
    for (const key of oldKeys) {
      if (newKeys.includes(key)) continue;
      takeOut(buckets, key, before!);
      this.#changes.index(this.#kind, name, key);
    }
    const same = before !== undefined && (!differs || sameForReaders(declaration, before, after!));
    for (const key of newKeys) {
      const known = oldKeys.includes(key);
      putIn(buckets, key, after!);
      if (!known || !same) this.#changes.index(this.#kind, name, key);
    }
  }
}

function sameForReaders<T extends KubeObject>(
  { reads }: IndexDeclaration<T>,
  before: T,
  after: T | undefined,
): boolean {
  return reads !== undefined && after !== undefined && reads(before) === reads(after);
}

function putIn<T extends KubeObject>(buckets: Map<string, T[]>, key: string, object: T): void {
  const bucket = buckets.get(key);
  if (bucket === undefined) {
    buckets.set(key, [object]);
    return;
  }
  const at = placeOf(bucket, object);
  const found = at < bucket.length && compareNames(bucket[at]!, object) === 0;
  bucket.splice(at, found ? 1 : 0, object);
}

function takeOut<T extends KubeObject>(buckets: Map<string, T[]>, key: string, object: T): void {
  const bucket = buckets.get(key);
  if (bucket === undefined) return;
  const at = placeOf(bucket, object);
  if (at < bucket.length && compareNames(bucket[at]!, object) === 0) bucket.splice(at, 1);
  if (bucket.length === 0) buckets.delete(key);
}

/** Where the object stands, or would stand. */
function placeOf(bucket: readonly KubeObject[], object: KubeObject): number {
  let low = 0;
  let high = bucket.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (compareNames(bucket[middle]!, object) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}

function compareNames({ metadata: a }: KubeObject, { metadata: b }: KubeObject): number {
  const aSpace = a.namespace ?? '';
  const bSpace = b.namespace ?? '';
  if (aSpace !== bSpace) return aSpace < bSpace ? -1 : 1;
  return a.name < b.name ? -1 : a.name > b.name ? 1 : 0;
}

function differenceOf(kind: KindName, before: KubeObject, after: KubeObject): 'none' | 'status' | 'content' {
  const { metadata: oldMeta, status: oldStatus, ...oldRest } = before;
  const { metadata: newMeta, status: newStatus, ...newRest } = after;
  const { resourceVersion: _old, ...oldFixed } = oldMeta;
  const { resourceVersion: _new, ...newFixed } = newMeta;
  if (!isDeepStrictEqual(oldFixed, newFixed) || !isDeepStrictEqual(oldRest, newRest)) return 'content';
  if (isDeepStrictEqual(oldStatus, newStatus)) return 'none';
  return privateStatus.has(kind) ? 'status' : 'content';
}
