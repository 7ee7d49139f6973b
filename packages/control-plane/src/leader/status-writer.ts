import type { Report } from '../cluster/engine.ts';
import type { ObjectStore } from '../cluster/object-store.ts';
import type { Finding } from '../discovery/finding.ts';
import type { ApplyQueue, KindName, KubeObject } from '@ambient/kube';
import { statusRequest } from '@ambient/kube';
import { fieldManagers, statusApply } from '../status/condition.ts';
import type { StatusApply } from '../status/condition.ts';

/** Who writes what about the objects of a kind. */
const managersOf: Readonly<Partial<Record<KindName, readonly string[]>>> = {
  Service: [fieldManagers.service],
  ServiceEntry: [fieldManagers.service],
  WorkloadEntry: [fieldManagers.workloadEntry],
  AuthorizationPolicy: [fieldManagers.ztunnelPolicy, fieldManagers.waypointPolicy],
};

/** Writes what translators have to say into the status of their objects. Only the leader's runs. */
export class StatusWriter {
  readonly #store: ObjectStore;
  readonly #queue: ApplyQueue;

  constructor(store: ObjectStore, queue: ApplyQueue) {
    this.#store = store;
    this.#queue = queue;
  }

  take({ kind, key, conditions }: Report<Finding>): void {
    const managers = kind === undefined ? undefined : managersOf[kind];
    if (kind === undefined || managers === undefined) return;
    const object = this.#store.table(kind).get(key) as KubeObject | undefined;
    if (object === undefined) return;
    const applies = conditions.flatMap((finding) => (finding.kind === 'status' ? [finding.apply] : []));
    for (const manager of managers) {
      const apply = applies.find(({ fieldManager }) => fieldManager === manager);
      if (apply !== undefined) this.#queue.submit(requestOf(apply, object));
      // What was to be said holds no more, and what stands there is right.
      else this.#queue.withdraw(requestOf(statusApply(object, manager, {}), object));
    }
  }
}

function requestOf(
  { fieldManager, body }: StatusApply,
  observed: KubeObject,
): ReturnType<typeof statusRequest> {
  return statusRequest(fieldManager, { ...body }, observed);
}
