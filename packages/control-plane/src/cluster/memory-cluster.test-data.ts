// A cluster for tests of translators: the objects of an array, found by the declared indexes, nothing tracked.
import type { KindName, KubeObject, ObjectOf } from '@ambient/kube';
import type { IndexDeclaration, IndexOf } from './indexes.ts';
import { indexes } from './indexes.ts';
import type { ClusterLookup } from './lookup.ts';

export class MemoryCluster implements ClusterLookup {
  readonly #objects = new Map<string, KubeObject>();
  readonly #indexed = new Map<string, KubeObject[]>();

  constructor(objects: Iterable<KubeObject> = []) {
    for (const object of objects) this.#add(object);
  }

  get<K extends KindName>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
    return this.#objects.get(`${kind}/${namespace}/${name}`) as ObjectOf<K> | undefined;
  }

  list<K extends KindName>(kind: K, index: IndexOf<K>, key: string): readonly ObjectOf<K>[] {
    return (this.#indexed.get(`${kind}|${index}|${key}`) ?? []) as unknown as readonly ObjectOf<K>[];
  }

  /** All objects of a kind, in the order given. */
  all<K extends KindName>(kind: K): ObjectOf<K>[] {
    return [...this.#objects.values()].filter((object) => object.kind === kind) as ObjectOf<K>[];
  }

  #add(object: KubeObject): void {
    const { name, namespace = '' } = object.metadata;
    this.#objects.set(`${object.kind}/${namespace}/${name}`, object);
    const declared = indexes[object.kind as KindName] as
      Record<string, IndexDeclaration<KubeObject>> | undefined;
    for (const [index, { keys }] of Object.entries(declared ?? {})) {
      for (const key of keys(object)) {
        const at = `${object.kind}|${index}|${key}`;
        const present = this.#indexed.get(at);
        if (present === undefined) this.#indexed.set(at, [object]);
        else present.push(object);
      }
    }
  }
}
