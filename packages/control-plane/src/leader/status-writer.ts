import type { Report } from '../cluster/engine.ts';
import type { ObjectStore } from '../cluster/object-store.ts';
import type { Finding } from '../discovery/finding.ts';
import type { ApplyQueue, ApplyRequest, KindName, KubeObject } from '@ambient/kube';
import { statusRequest } from '@ambient/kube';
import { fieldManagers, statusApply } from '../status/condition.ts';
import { reviseParents } from '../status/route-parents.ts';

/** Who writes what about the objects of a kind. */
const managersOf: Readonly<Partial<Record<KindName, readonly string[]>>> = {
  Service: [fieldManagers.service],
  ServiceEntry: [fieldManagers.service],
  WorkloadEntry: [fieldManagers.workloadEntry],
  AuthorizationPolicy: [fieldManagers.ztunnelPolicy, fieldManagers.waypointPolicy],
  HTTPRoute: [fieldManagers.routes],
  GRPCRoute: [fieldManagers.routes],
  TLSRoute: [fieldManagers.routes],
  TCPRoute: [fieldManagers.routes],
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
    const requests = conditions.flatMap((finding) => requestsOf(finding, object));
    for (const manager of managers) {
      const request = requests.find(({ fieldManager }) => fieldManager === manager);
      if (request !== undefined) this.#queue.submit(request);
      // What was to be said holds no more, and what stands there is right.
      else this.#queue.withdraw(statusRequest(manager, { ...statusApply(object, manager, {}).body }));
    }
  }
}

function requestsOf(finding: Finding, observed: KubeObject): ApplyRequest[] {
  switch (finding.kind) {
    case 'status': {
      const { fieldManager, body } = finding.apply;
      return [statusRequest(fieldManager, { ...body }, observed)];
    }
    case 'parents': {
      const { update } = finding;
      const revise = (current: unknown): ApplyRequest['body'] | undefined => {
        const body = reviseParents(update, current);
        return body === undefined ? undefined : { ...body };
      };
      return [{ ...statusRequest(fieldManagers.routes, { ...update.body }), revise }];
    }
    default:
      return [];
  }
}
