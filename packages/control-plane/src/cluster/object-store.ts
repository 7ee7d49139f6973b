import { kindNames } from '@ambient/kube';
import type { KindName, ObjectOf } from '@ambient/kube';
import type { IndexOf } from './indexes.ts';
import type { ClusterLookup } from './lookup.ts';
import { ObjectTable } from './object-table.ts';
import type { TableChanges } from './object-table.ts';

type Tables = { readonly [K in KindName]: ObjectTable<K> };

/** All objects of the cluster that the mesh is derived from. As a lookup it remembers no dependency. */
export class ObjectStore implements ClusterLookup {
  readonly #tables: Tables;

  constructor(changes: TableChanges) {
    this.#tables = Object.fromEntries(
      kindNames.map((kind) => [kind, new ObjectTable(kind, changes)]),
    ) as unknown as Tables;
  }

  table<K extends KindName>(kind: K): ObjectTable<K> {
    return this.#tables[kind];
  }

  get<K extends KindName>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    return this.table(kind).get(keyOf(namespace, name));
  }

  list<K extends KindName>(kind: K, index: IndexOf<K>, key: string): readonly ObjectOf<K>[] {
    return this.table(kind).list(index, key);
  }
}

/** The key of an object within its kind, as `objectKey` gives it. */
export function keyOf(namespace: string, name: string): string {
  return namespace === '' ? name : `${namespace}/${name}`;
}
