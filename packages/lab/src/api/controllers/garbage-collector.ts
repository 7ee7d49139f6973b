import { cloneJson } from '../object.ts';
import type { ApiObject, OwnerReference } from '../object.ts';
import { foregroundFinalizer, orphanFinalizer } from '../operations/object-rules.ts';
import type { ObjectOperations } from '../operations/objects.ts';
import { ownContext } from '../operations/request.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { StorageEvent } from '../storage/object-table.ts';
import { backgroundDeletion, targetOf } from './controller.ts';

const context = ownContext('garbage-collector');

interface Dependent {
  readonly resource: string;
  readonly namespace: string | undefined;
  readonly name: string;
}

/** Owners that are remembered after their end, for dependents that come late. */
const rememberedEnds = 10_000;

/**
 * Deletes what is owned by objects that are gone, once none of its owners is left; before its owner in a foreground
 * deletion, and not at all where the deletion orphans (concepts, "Garbage Collection").
 *
 * An owner that this API has never held is none of its business: in a lab, pods are often there without the controllers
 * that they name.
 */
export class GarbageCollector implements Disposable {
  readonly #store: ObjectStore;
  readonly #registry: ResourceRegistry;
  readonly #operations: ObjectOperations;
  readonly #onFault: (error: unknown) => void;
  readonly #owned = new DisposableStack();
  /** Dependents by the uid of an owner, each under `resource/namespace/name`. */
  readonly #dependents = new Map<string, Map<string, Dependent>>();
  readonly #living = new Set<string>();
  /** Uids of what has been deleted, oldest first. */
  readonly #gone = new Set<string>();
  readonly #due = new Map<string, Dependent>();
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
    for (const [resource, table] of store.tables())
      for (const object of table.values())
        this.#note(resource, { type: 'ADDED', object, previous: undefined, resourceVersion: 0 });
    this.#owned.use(store.listen((event, resource) => this.#note(resource, event)));
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
  }

  #note(resource: string, event: StorageEvent): void {
    const { object, previous, type } = event;
    const uid = object.metadata.uid ?? '';
    const self: Dependent = { resource, namespace: object.metadata.namespace, name: object.metadata.name };
    const owners = type === 'DELETED' ? undefined : object.metadata.ownerReferences;
    if (previous?.metadata.ownerReferences !== owners) {
      for (const { uid: owner } of previous?.metadata.ownerReferences ?? [])
        this.#dependents.get(owner)?.delete(keyOf(self));
      for (const { uid: owner } of owners ?? []) {
        let all = this.#dependents.get(owner);
        if (all === undefined) this.#dependents.set(owner, (all = new Map<string, Dependent>()));
        all.set(keyOf(self), self);
      }
      if (owners !== undefined && owners.length > 0) this.#look(self);
    }
    if (type !== 'DELETED') {
      this.#living.add(uid);
      const finalizers = object.metadata.finalizers ?? [];
      if (
        object.metadata.deletionTimestamp !== undefined &&
        (finalizers.includes(orphanFinalizer) || finalizers.includes(foregroundFinalizer))
      )
        this.#look(self);
      return;
    }
    this.#living.delete(uid);
    this.#endsInForeground.delete(uid);
    this.#rememberEnd(uid);
    for (const dependent of this.#dependents.get(uid)?.values() ?? []) this.#look(dependent);
    // An owner that waits for its dependents may wait no longer.
    for (const owner of previous?.metadata.ownerReferences ?? []) this.#lookAtOwner(owner, self.namespace);
  }

  #rememberEnd(uid: string): void {
    this.#gone.add(uid);
    if (this.#gone.size <= rememberedEnds) return;
    for (const oldest of this.#gone) {
      this.#gone.delete(oldest);
      return;
    }
  }

  #lookAtOwner(owner: OwnerReference, namespace: string | undefined): void {
    const served = this.#registry.findKind(owner.apiVersion, owner.kind);
    if (served === undefined) return;
    const { resource } = served;
    this.#look({
      resource: `${resource.plural}.${resource.group}`,
      namespace: resource.namespaced ? namespace : undefined,
      name: owner.name,
    });
  }

  #look(dependent: Dependent): void {
    this.#due.set(keyOf(dependent), dependent);
    if (this.#scheduled) return;
    this.#scheduled = true;
    setImmediate(() => {
      this.#scheduled = false;
      const due = [...this.#due.values()];
      this.#due.clear();
      for (const each of due)
        try {
          this.#examine(each);
        } catch (error) {
          this.#onFault(error);
        }
    });
  }

  #examine(each: Dependent): void {
    const object = this.#store.get(each.resource, each.namespace, each.name);
    const target = targetOf(this.#registry, each.resource, each.namespace);
    if (object === undefined || target === undefined) return;
    if (object.metadata.deletionTimestamp !== undefined) {
      this.#finish(each, object);
      return;
    }
    const owners = object.metadata.ownerReferences ?? [];
    if (owners.length === 0 || owners.some((owner) => this.#isLiving(owner))) return;
    const waiting = owners.some((owner) => this.#living.has(owner.uid) && owner.blockOwnerDeletion === true);
    this.#operations.deleteOwn(
      { ...target, name: each.name },
      { ...backgroundDeletion, propagationPolicy: waiting ? 'Foreground' : 'Background' },
      context,
    );
  }

  /** Whether an owner is there to stay: one that is deleted in the foreground takes its dependents along. */
  #isLiving(owner: OwnerReference): boolean {
    return !this.#gone.has(owner.uid) && !this.#endsInForeground.has(owner.uid);
  }

  readonly #endsInForeground = new Set<string>();

  /** Does what the deletion of an owner waits for. */
  #finish(self: Dependent, object: ApiObject): void {
    const finalizers = object.metadata.finalizers ?? [];
    const uid = object.metadata.uid ?? '';
    const dependents = [...(this.#dependents.get(uid)?.values() ?? [])];
    if (finalizers.includes(orphanFinalizer)) {
      for (const dependent of dependents) this.#orphan(dependent, uid);
      this.#release(self, object, orphanFinalizer);
      return;
    }
    if (!finalizers.includes(foregroundFinalizer)) return;
    this.#endsInForeground.add(uid);
    for (const dependent of dependents) this.#look(dependent);
    const blocks = dependents.some((dependent) =>
      this.#store
        .get(dependent.resource, dependent.namespace, dependent.name)
        ?.metadata.ownerReferences?.some((owner) => owner.uid === uid && owner.blockOwnerDeletion === true),
    );
    if (blocks) return;
    this.#release(self, object, foregroundFinalizer);
    this.#endsInForeground.delete(uid);
  }

  #orphan(dependent: Dependent, ownerUid: string): void {
    const live = this.#store.get(dependent.resource, dependent.namespace, dependent.name);
    if (live === undefined) return;
    const object = cloneJson(live);
    const owners = (object.metadata.ownerReferences ?? []).filter((owner) => owner.uid !== ownerUid);
    if (owners.length > 0) object.metadata.ownerReferences = owners;
    else delete object.metadata.ownerReferences;
    this.#store.put(dependent.resource, object);
  }

  #release(self: Dependent, live: ApiObject, finalizer: string): void {
    const object = cloneJson(live);
    const finalizers = (object.metadata.finalizers ?? []).filter((each) => each !== finalizer);
    if (finalizers.length > 0) object.metadata.finalizers = finalizers;
    else delete object.metadata.finalizers;
    this.#operations.putOwn(targetOf(this.#registry, self.resource, self.namespace)!, object);
  }
}

function keyOf(dependent: Dependent): string {
  return `${dependent.resource}/${dependent.namespace ?? ''}/${dependent.name}`;
}
