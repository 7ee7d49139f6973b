import type { Clock } from '@ambient/runtime';

import type { ObjectOperations } from '../operations/objects.ts';
import { ownContext } from '../operations/request.ts';
import type { ResourceRegistry } from '../resources/registry.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import { backgroundDeletion, targetOf } from './controller.ts';

const context = ownContext('event-expiry');
const lifetimeMs = 3_600_000;

interface Due {
  readonly resource: string;
  readonly namespace: string;
  readonly name: string;
  readonly dueMs: number;
}

/** Deletes Events an hour after they were last written, as an API server's storage does (`--event-ttl`). */
export class EventExpiry implements Disposable {
  readonly #store: ObjectStore;
  readonly #registry: ResourceRegistry;
  readonly #operations: ObjectOperations;
  readonly #clock: Clock;
  readonly #owned = new DisposableStack();
  /** The next to go first: an Event that is written goes to the end. */
  readonly #due = new Map<string, Due>();
  #timer: Disposable | undefined;

  constructor(store: ObjectStore, registry: ResourceRegistry, operations: ObjectOperations, clock: Clock) {
    this.#store = store;
    this.#registry = registry;
    this.#operations = operations;
    this.#clock = clock;
    for (const resource of ['events.', 'events.events.k8s.io']) {
      const table = store.table(resource);
      for (const { metadata } of table.values()) this.#note(resource, metadata);
      this.#owned.use(
        table.listen(({ type, object }) => {
          if (type === 'DELETED') this.#due.delete(keyOf(resource, object.metadata));
          else this.#note(resource, object.metadata);
        }),
      );
    }
  }

  [Symbol.dispose](): void {
    this.#owned.dispose();
    this.#timer?.[Symbol.dispose]();
  }

  #note(resource: string, metadata: { readonly namespace?: string; readonly name: string }): void {
    const key = keyOf(resource, metadata);
    const { namespace = '', name } = metadata;
    this.#due.delete(key);
    this.#due.set(key, { resource, namespace, name, dueMs: this.#clock.nowMs() + lifetimeMs });
    this.#timer ??= this.#clock.setTimer(lifetimeMs, () => this.#expire());
  }

  #expire(): void {
    this.#timer = undefined;
    const nowMs = this.#clock.nowMs();
    for (const [key, { resource, namespace, name, dueMs }] of this.#due) {
      if (dueMs > nowMs) {
        this.#timer = this.#clock.setTimer(dueMs - nowMs, () => this.#expire());
        return;
      }
      this.#due.delete(key);
      const target = targetOf(this.#registry, resource, namespace);
      if (target !== undefined && this.#store.get(resource, namespace, name) !== undefined)
        this.#operations.deleteOwn({ ...target, name }, backgroundDeletion, context);
    }
  }
}

function keyOf(
  resource: string,
  { namespace, name }: { readonly namespace?: string; readonly name: string },
): string {
  return `${resource}/${namespace ?? ''}/${name}`;
}
