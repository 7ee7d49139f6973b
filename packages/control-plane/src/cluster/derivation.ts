import type { KindName, KubeObject, ObjectOf } from '@ambient/kube';
import type { ClusterLookup } from './lookup.ts';

/** One resource for the proxies, before it has a version. */
export interface DerivedResource {
  /** Which table it goes to. */
  readonly table: string;
  /** Unique in its table; see `priority`. */
  readonly name: string;
  /** The encoded message: equal content must give equal bytes. */
  readonly bytes: Uint8Array;
  readonly aliases?: readonly string[];
  readonly node?: string;
  readonly serviceKeys?: readonly string[];
  /** Of several that claim one name the highest wins, then the oldest source object, then its name; 0 if absent. */
  readonly priority?: number;
}

/** Something wrong with the source object, as validation tells it. */
export interface DerivationProblem {
  /** Path of the field, '' for the object as a whole. */
  readonly path: string;
  readonly message: string;
  readonly severity: 'error' | 'warning';
}

/** What a translator makes of one object. `C` is what `status/` understands. */
export interface Derived<C = unknown> {
  readonly resources: readonly DerivedResource[];
  readonly problems?: readonly DerivationProblem[];
  readonly conditions?: readonly C[];
}

/** A translator as the engine calls it: pure, and whatever it reads of the cluster it asks the lookup for. */
export interface Derivation<C = unknown> {
  /** Unique. */
  readonly name: string;
  /** Derived once for each object of this kind; without a kind once for the cluster. */
  readonly kind: KindName | undefined;
  /** @param object undefined exactly if there is no kind */
  readonly derive: (object: KubeObject | undefined, lookup: ClusterLookup) => Derived<C>;
}

export function perObject<K extends KindName, C>(
  name: string,
  kind: K,
  derive: (object: ObjectOf<K>, lookup: ClusterLookup) => Derived<C>,
): Derivation<C> {
  return { name, kind, derive: (object, lookup) => derive(object as ObjectOf<K>, lookup) };
}

export function perCluster<C>(name: string, derive: (lookup: ClusterLookup) => Derived<C>): Derivation<C> {
  return { name, kind: undefined, derive: (_, lookup) => derive(lookup) };
}
