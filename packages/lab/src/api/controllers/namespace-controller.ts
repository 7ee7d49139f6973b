import { cloneJson, isJsonObject } from '../object.ts';
import type { ApiObject } from '../object.ts';
import { heldFinalizers } from '../kinds/namespace.ts';
import type { ObjectOperations } from '../operations/objects.ts';
import { ownContext } from '../operations/request.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import { storageKey } from '../resources/resource.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { backgroundDeletion, targetOf } from './controller.ts';

const context = ownContext('kube-controller-manager');

/**
 * Gives each namespace its default service account, and empties namespaces that are being deleted: what is in them is
 * deleted, and when the last object is gone (finalizers may hold some for a while) so is the namespace.
 */
export class NamespaceController implements Disposable {
  readonly #store: ObjectStore;
  readonly #registry: ResourceRegistry;
  readonly #operations: ObjectOperations;
  readonly #onFault: (error: unknown) => void;
  readonly #owned = new DisposableStack();
  readonly #ending = new Set<string>();
  #scheduled = false;

  constructor(
    store: ObjectStore,
    registry: ResourceRegistry,
    operations: ObjectOperations,
    onFault: (error: unknown) => void,
  ) {
    this.#store = store;
    this.#registry = registry;
    this.#operations = operations;
    this.#onFault = onFault;
    const namespaces = store.table('namespaces.');
    for (const namespace of namespaces.values()) this.#look(namespace);
    this.#owned.use(
      namespaces.listen((event) => {
        if (event.type === 'DELETED') this.#ending.delete(event.object.metadata.name);
        else this.#look(event.object);
      }),
    );
    // Whatever is deleted may have been the last object of its namespace.
    this.#owned.use(
      store.listen((event) => {
        const { namespace } = event.object.metadata;
        if (event.type === 'DELETED' && namespace !== undefined && this.#ending.has(namespace))
          this.#schedule();
      }),
    );
    this.#owned.use(
      store.table('serviceaccounts.').listen((event) => {
        if (event.type !== 'DELETED' || event.object.metadata.name !== defaultAccount) return;
        const namespace = store.get('namespaces.', undefined, event.object.metadata.namespace ?? '');
        if (namespace !== undefined) this.#look(namespace);
      }),
    );
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  #look(namespace: ApiObject): void {
    const { name, deletionTimestamp } = namespace.metadata;
    if (deletionTimestamp !== undefined) {
      this.#ending.add(name);
      this.#schedule();
    } else if (this.#store.get('serviceaccounts.', name, defaultAccount) === undefined)
      this.#addAccount(name);
  }

  #addAccount(namespace: string): void {
    const target = targetOf(this.#registry, 'serviceaccounts.', namespace);
    if (target === undefined) return;
    this.#operations
      .create(target, { metadata: { name: defaultAccount } }, context)
      .catch((error: unknown) => {
        const code = (error as { code?: unknown }).code;
        // Someone else made it, or the namespace went away meanwhile.
        if (code !== 409 && code !== 404 && code !== 403) this.#onFault(error);
      });
  }

  /** In a turn of its own, so that a deletion is not answered by what follows from it. */
  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      try {
        for (const name of this.#ending) this.#empty(name);
      } catch (error) {
        this.#onFault(error);
      }
    });
  }

  #empty(name: string): void {
    let left = 0;
    for (const resource of [...this.#registry.all()]) {
      if (!resource.namespaced) continue;
      const target = targetOf(this.#registry, storageKey(resource), name);
      if (target === undefined) continue;
      for (const object of [...this.#store.table(storageKey(resource)).inNamespace(name)]) {
        const pending = object.metadata.deletionTimestamp !== undefined;
        const gone =
          !pending &&
          this.#operations.deleteOwn({ ...target, name: object.metadata.name }, backgroundDeletion, context)
            .gone;
        if (!gone) left++;
      }
    }
    if (left > 0) return;
    const live = this.#store.get('namespaces.', undefined, name);
    if (live === undefined || heldFinalizers(live).length === 0) return;
    this.#ending.delete(name);
    const released = cloneJson(live);
    if (isJsonObject(released['spec'])) released['spec'] = { ...released['spec'], finalizers: [] };
    this.#operations.putOwn(targetOf(this.#registry, 'namespaces.', undefined)!, released);
  }
}

const defaultAccount = 'default';
