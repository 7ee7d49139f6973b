import { familyFields, familyOf, StoredWorkload } from './stored-workload.ts';
import type { WorkloadFamily } from './stored-workload.ts';
import type { Workload } from './types.ts';

/** Above this many distinct values the pool starts afresh, so that a churn of names cannot grow it for ever. */
const POOL_LIMIT = 1 << 15;

/**
 * Makes equal values of many workloads one object. Workloads come from messages, where every string and record is a copy; of
 * a fleet's workloads nearly everything but uid, name and address repeats, and the copies would cost more than the workloads.
 * An array out of a message also keeps room for elements that never come, hence the copies of small values here. Sharing is
 * for memory only: equal values need not be the same object.
 */
export class WorkloadInterner {
  readonly #strings = new Map<string, string>();
  readonly #values = new Map<string, unknown>();
  /** By what tells most of them apart. */
  readonly #families = new Map<string, WorkloadFamily[]>();
  #familyCount = 0;

  /** The same workload, with what it has in common with others shared. */
  intern(workload: Workload): StoredWorkload {
    return new StoredWorkload(
      {
        uid: workload.uid,
        name: workload.name,
        addresses: workload.addresses,
        node: this.#string(workload.node),
        locality: this.#value(workload.locality),
      },
      this.#family(workload),
    );
  }

  #family(workload: Workload): WorkloadFamily {
    const waypoint = this.#value(workload.waypoint);
    const networkGateway = this.#value(workload.networkGateway);
    const applicationTunnel = this.#value(workload.applicationTunnel);
    const services = this.#value(workload.services);
    const authorizationPolicies = this.#value(workload.authorizationPolicies);
    const values = { waypoint, networkGateway, applicationTunnel, services, authorizationPolicies };
    const given = { ...familyOf(workload), ...values };
    const key = `${given.namespace}/${given.workloadName}/${given.serviceAccount}/${given.canonicalName}`;
    const families = this.#families.get(key);
    const known = families?.find((each) => familyFields.every((field) => each[field] === given[field]));
    if (known !== undefined) return known;
    const family: WorkloadFamily = {
      ...given,
      namespace: this.#string(given.namespace),
      hostname: this.#string(given.hostname),
      network: this.#string(given.network),
      tunnelProtocol: this.#string(given.tunnelProtocol),
      trustDomain: this.#string(given.trustDomain),
      serviceAccount: this.#string(given.serviceAccount),
      canonicalName: this.#string(given.canonicalName),
      canonicalRevision: this.#string(given.canonicalRevision),
      workloadType: this.#string(given.workloadType),
      workloadName: this.#string(given.workloadName),
      status: this.#string(given.status),
      clusterId: this.#string(given.clusterId),
      networkMode: this.#string(given.networkMode),
    };
    if (families === undefined) {
      if (this.#familyCount >= POOL_LIMIT) this.#forgetFamilies();
      this.#families.set(key, [family]);
    } else {
      if (families.length >= FAMILIES_OF_ONE_NAME) families.length = 0;
      families.push(family);
    }
    this.#familyCount++;
    return family;
  }

  #forgetFamilies(): void {
    this.#families.clear();
    this.#familyCount = 0;
  }

  #string<T extends string | undefined>(text: T): T {
    if (text === undefined) return text;
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

/** Revisions, states and versions that siblings may differ in at one time; more is a churn, and old ones are forgotten. */
const FAMILIES_OF_ONE_NAME = 64;
