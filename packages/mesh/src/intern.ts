import type { Workload } from './types.ts';

/** Above this many distinct values the pool starts afresh, so that a churn of names cannot grow it for ever. */
const POOL_LIMIT = 1 << 15;

const noAddresses: readonly string[] = Object.freeze([]);

/**
 * Makes equal values of many workloads one object. A replica gets its workloads by structured clone, where every string and
 * record is a copy; of a fleet's workloads nearly everything but uid, name and address repeats, and the copies would cost
 * more than the workloads. An array out of a structured clone also keeps room for elements that never come, hence the copies
 * of small values here. Sharing is for memory only: equal values need not be the same object.
 */
export class WorkloadInterner {
  readonly #strings = new Map<string, string>();
  readonly #values = new Map<string, unknown>();

  /** The same workload, its fields in one fixed order and its repeating values shared. */
  intern(workload: Workload): Workload {
    return {
      uid: workload.uid,
      name: workload.name,
      namespace: this.#string(workload.namespace),
      addresses: workload.addresses.length === 0 ? noAddresses : workload.addresses.slice(),
      hostname: this.#string(workload.hostname),
      network: this.#string(workload.network),
      tunnelProtocol: this.#string(workload.tunnelProtocol),
      trustDomain: this.#string(workload.trustDomain),
      serviceAccount: this.#string(workload.serviceAccount),
      waypoint: this.#value(workload.waypoint),
      networkGateway: this.#value(workload.networkGateway),
      node: this.#string(workload.node),
      canonicalName: this.#string(workload.canonicalName),
      canonicalRevision: this.#string(workload.canonicalRevision),
      workloadType: this.#string(workload.workloadType),
      workloadName: this.#string(workload.workloadName),
      nativeTunnel: workload.nativeTunnel,
      applicationTunnel: this.#value(workload.applicationTunnel),
      services: this.#value(workload.services),
      authorizationPolicies: this.#value(workload.authorizationPolicies),
      status: this.#string(workload.status),
      clusterId: this.#string(workload.clusterId),
      locality: this.#value(workload.locality),
      networkMode: this.#string(workload.networkMode),
      capacity: workload.capacity,
    };
  }

  #string<T extends string>(text: T): T {
    const known = this.#strings.get(text);
    if (known !== undefined) return known as T;
    if (this.#strings.size >= POOL_LIMIT) this.#strings.clear();
    this.#strings.set(text, text);
    return text;
  }

  #value<T>(value: T): T {
    if (value === undefined) return value;
    const text = JSON.stringify(value);
    const known = this.#values.get(text);
    if (known !== undefined) return known as T;
    if (this.#values.size >= POOL_LIMIT) this.#values.clear();
    const trimmed = JSON.parse(text) as T;
    this.#values.set(text, trimmed);
    return trimmed;
  }
}
