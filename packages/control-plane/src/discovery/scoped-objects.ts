import type { KindName, ObjectOf, ReflectorTarget } from '@ambient/kube';
import type { MeshSettings } from '../translate/mesh-settings.ts';
import { isDiscovered, isOfRevision } from '../translate/scope.ts';

export interface ScopedObjectsOptions {
  /** Where the objects go that this control plane looks at. */
  readonly inner: <K extends KindName>(kind: K) => ReflectorTarget<ObjectOf<K>>;
  readonly kinds: readonly KindName[];
  readonly mesh: () => MeshSettings;
}

/** Kinds that are looked at wherever they are: what the scope itself is made of, and what has no namespace. */
const unscoped: ReadonlySet<KindName> = new Set(['Namespace', 'Node', 'GatewayClass', 'ConfigMap']);

/**
 * Keeps objects of other revisions, and those in namespaces that MeshConfig's discoverySelectors leave out, away from
 * everything that is derived. They are held aside, since a label can bring them in at any time.
 */
export class ScopedObjects {
  readonly #options: ScopedObjectsOptions;
  readonly #hidden = new Map<KindName, Map<string, ObjectOf<KindName>>>();

  constructor(options: ScopedObjectsOptions) {
    this.#options = options;
    for (const kind of options.kinds) this.#hidden.set(kind, new Map());
  }

  /** Objects that are held aside. */
  get hidden(): number {
    let count = 0;
    for (const objects of this.#hidden.values()) count += objects.size;
    return count;
  }

  /** Where a reflector puts the objects of a kind. */
  target<K extends KindName>(kind: K): ReflectorTarget<ObjectOf<K>> {
    const inner = this.#options.inner(kind);
    if (unscoped.has(kind)) return kind === 'Namespace' ? this.#namespaces(inner) : inner;
    const hidden = this.#hidden.get(kind)! as Map<string, ObjectOf<K>>;
    return {
      get: (key) => inner.get(key) ?? hidden.get(key),
      keys: () => [...inner.keys(), ...hidden.keys()],
      put: (key, object) => {
        if (this.#isVisible(kind, object)) {
          hidden.delete(key);
          inner.put(key, object);
        } else {
          inner.remove(key);
          hidden.set(key, object);
        }
      },
      remove: (key) => {
        hidden.delete(key);
        inner.remove(key);
      },
    };
  }

  /** Looks at every object again: the selectors have changed. */
  rescope(): void {
    this.#rescope(() => true);
  }

  #namespaces<K extends KindName>(inner: ReflectorTarget<ObjectOf<K>>): ReflectorTarget<ObjectOf<K>> {
    const changed = (key: string, change: () => void): void => {
      const before = this.#isNamespaceVisible(key);
      change();
      if (this.#isNamespaceVisible(key) !== before) this.#rescope((namespace) => namespace === key);
    };
    return {
      get: (key) => inner.get(key),
      keys: () => inner.keys(),
      put: (key, object) => changed(key, () => inner.put(key, object)),
      remove: (key) => changed(key, () => inner.remove(key)),
    };
  }

  #rescope(concerns: (namespace: string) => boolean): void {
    for (const kind of this.#options.kinds) {
      if (unscoped.has(kind)) continue;
      const target = this.target(kind);
      for (const key of target.keys()) {
        const object = target.get(key);
        if (object !== undefined && concerns(object.metadata.namespace ?? '')) target.put(key, object);
      }
    }
  }

  #isVisible(kind: KindName, object: ObjectOf<KindName>): boolean {
    const { revision } = this.#options.mesh();
    return isOfRevision(kind, object, revision) && this.#isNamespaceVisible(object.metadata.namespace ?? '');
  }

  /** One that is not known yet is none of ours, where not every namespace is. */
  #isNamespaceVisible(name: string): boolean {
    const mesh = this.#options.mesh();
    if (mesh.discoverySelectors.length === 0) return true;
    const namespace = this.#options.inner('Namespace').get(name);
    return namespace !== undefined && isDiscovered(namespace, mesh);
  }
}
