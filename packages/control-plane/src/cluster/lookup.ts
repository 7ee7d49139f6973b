// How a translator asks for other objects. It has no other way, so the engine knows what each derived resource
// has read, and recomputes that resource only when one of the answers may have changed.
import type { KindName, ObjectOf } from '@ambient/kube';
import type { IndexOf } from './indexes.ts';

export interface ClusterLookup {
  /**
   * One object, or undefined. Remembered as a dependency, found or not.
   * `namespace` is '' for the kinds of the cluster (Namespace, Node, GatewayClass).
   */
  get<K extends KindName>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined;
  /**
   * The objects under one key of an index (indexes.ts), each once, in no particular order. Remembered as a
   * dependency on that key: on which objects it holds, and on what the index declares that its readers read
   * of them.
   */
  list<K extends KindName>(kind: K, index: IndexOf<K>, key: string): readonly ObjectOf<K>[];
}
