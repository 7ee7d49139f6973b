import { AddressIndex } from './address-index.ts';
import type { CompiledPolicy } from './compile-policy.ts';
import { WorkloadInterner } from './intern.ts';
import { familyOf, StoredWorkload } from './stored-workload.ts';
import { PolicyIndex } from './policy-index.ts';
import { isKnownService, ServiceEndpoints } from './service-endpoints.ts';
import type { KnownService } from './service-endpoints.ts';
import { bestService } from './service-rank.ts';
import { serviceKey } from './types.ts';
import type { MeshUpdate, Policy, Service, Workload } from './types.ts';
import { isWildcard, WildcardIndex } from './wildcard-index.ts';

/** What an apply() touched: keys that are new, changed or gone. */
export interface MeshChange {
  /** Workload uids. */
  readonly workloads: readonly string[];
  /** Service keys, `namespace/hostname`. A change of a service's endpoints alone shows as changed workloads. */
  readonly services: readonly string[];
  /** Policy keys, without those that were sent again unchanged. */
  readonly policies: readonly string[];
  /** Whether live connections must be authorized again: policies have changed, or what workloads name of them. */
  readonly policiesChanged: boolean;
}

/** How a proxy knows a pod that it serves: a node agent tells names, the control plane tells the rest. */
export interface LocalWorkloadName {
  readonly namespace: string;
  readonly name: string;
  readonly serviceAccount: string;
}

/** What an address or hostname stands for. */
export type MeshDestination =
  | { readonly kind: 'workload'; readonly workload: Workload }
  | { readonly kind: 'service'; readonly service: KnownService };

/**
 * The mesh as one proxy thread sees it. Updates may come in any order: a workload before its services, a policy after the
 * workloads that name it. Lookups allocate next to nothing; all text is canonical, and an unknown key is simply not found.
 */
export class MeshStore {
  /** Policies that are in force, for {@link authorize}. */
  readonly policies = new PolicyIndex();
  /** undefined: workloads come with their repeating values shared. */
  readonly #interner: WorkloadInterner | undefined;
  readonly #workloads = new Map<string, StoredWorkload>();
  readonly #workloadsByHostname = new Map<string, Workload[]>();
  readonly #services = new Map<string, ServiceEndpoints>();
  readonly #servicesByHostname = new Map<string, KnownService[]>();
  readonly #wildcardServices = new WildcardIndex<KnownService>();
  readonly #networks = new Map<string, AddressIndex>();
  /** Per node that somebody asked for: pod name to workloads. Only the own node is ever asked for. */
  readonly #nodes = new Map<string, Map<string, Workload[]>>();

  /** @param options `shared`: what is equal in the workloads that come is one object already, as an `UpdateUnpacker` gives them */
  constructor({ shared = false }: { readonly shared?: boolean } = {}) {
    this.#interner = shared ? undefined : new WorkloadInterner();
  }

  /** Applies updates in order. Resources must have passed validation; a removal of something unknown is no error. */
  apply(updates: readonly MeshUpdate[]): MeshChange {
    const workloads = new Set<string>();
    const services = new Set<string>();
    const policies = new Set<string>();
    let namesOthers = false;
    for (const update of updates) {
      switch (update.kind) {
        case 'workload':
          namesOthers = this.#setWorkload(update.workload) || namesOthers;
          workloads.add(update.workload.uid);
          break;
        case 'service':
          services.add(this.#setService(update.service));
          break;
        case 'policy':
          if (this.policies.set(update.key, update.policy)) policies.add(update.key);
          break;
        case 'remove-address':
          if (this.#removeWorkload(update.key)) workloads.add(update.key);
          // A service key is namespace/hostname, split at the first slash: exactly the key as it stands.
          else if (this.#removeService(update.key)) services.add(update.key);
          break;
        case 'remove-policy':
          if (this.policies.remove(update.key)) policies.add(update.key);
          break;
      }
    }
    return {
      workloads: [...workloads],
      services: [...services],
      policies: [...policies],
      policiesChanged: policies.size > 0 || namesOthers,
    };
  }

  get workloadCount(): number {
    return this.#workloads.size;
  }

  workload(uid: string): StoredWorkload | undefined {
    return this.#workloads.get(uid);
  }

  /** The workload that owns an address of a network. Never one of the host network: its address belongs to the node. */
  workloadByAddress(network: string, ip: string): Workload | undefined {
    return this.#networks.get(network)?.workload(ip);
  }

  /** A pod that this proxy serves. `node` is compared exactly; a workload that names another node is not it. */
  localWorkload(name: LocalWorkloadName, node: string): Workload | undefined {
    for (const workload of this.#podsOf(node).get(name.name) ?? []) {
      if (workload.namespace === name.namespace && workload.serviceAccount === name.serviceAccount)
        return workload;
    }
    return undefined;
  }

  /** A service by its key `namespace/hostname`. */
  service(key: string): KnownService | undefined {
    const entry = this.#services.get(key);
    return isKnownService(entry) ? entry : undefined;
  }

  /** The service that a client of `clientNamespace` means by an address of a network. */
  serviceByAddress(network: string, ip: string, clientNamespace: string): KnownService | undefined {
    return this.#networks.get(network)?.service(ip, clientNamespace);
  }

  /** The service that a client of `clientNamespace` means by a hostname. */
  serviceByHostname(
    hostname: string,
    clientNamespace: string,
    preferredNamespace?: string,
  ): KnownService | undefined {
    return bestService(this.#servicesByHostname.get(hostname), clientNamespace, preferredNamespace);
  }

  /**
   * The service that a client of `clientNamespace` means by a DNS name: one of that hostname, else of the nearest wildcard
   * hostname that covers it. A service that the client may not see is as if it were not there.
   * @param name lower case, without the last dot
   */
  serviceByDnsName(
    name: string,
    clientNamespace: string,
    preferredNamespace?: string,
  ): KnownService | undefined {
    return (
      this.serviceByHostname(name, clientNamespace, preferredNamespace) ??
      this.#wildcardServices.find(name, (services) =>
        bestService(services, clientNamespace, preferredNamespace),
      )
    );
  }

  /** What an address of a network stands for, a workload before a service. */
  findAddress(network: string, ip: string, clientNamespace: string): MeshDestination | undefined {
    const index = this.#networks.get(network);
    if (index === undefined) return undefined;
    const workload = index.workload(ip);
    if (workload !== undefined) return { kind: 'workload', workload };
    const service = index.service(ip, clientNamespace);
    return service && { kind: 'service', service };
  }

  /** What a hostname of a namespace stands for, a service before a workload. */
  findHostname(namespace: string, hostname: string): MeshDestination | undefined {
    const service = this.service(serviceKey(namespace, hostname));
    if (service !== undefined) return { kind: 'service', service };
    const workload = this.#workloadsByHostname
      .get(hostname)
      ?.find((candidate) => candidate.namespace === namespace);
    return workload && { kind: 'workload', workload };
  }

  /** Services of which the workload is an endpoint and that have arrived. */
  servicesOf(workload: Workload): KnownService[] {
    const services: KnownService[] = [];
    for (const key in workload.services) {
      const service = this.service(key);
      if (service !== undefined) services.push(service);
    }
    return services;
  }

  *allWorkloads(): IterableIterator<Workload> {
    yield* this.#workloads.values();
  }

  *allServices(): IterableIterator<KnownService> {
    for (const entry of this.#services.values()) if (isKnownService(entry)) yield entry;
  }

  /** Services that workloads name and that have not arrived. */
  *stagedServices(): IterableIterator<ServiceEndpoints> {
    for (const entry of this.#services.values()) if (!isKnownService(entry)) yield entry;
  }

  *allPolicies(): IterableIterator<{ readonly key: string; readonly policy: Policy }> {
    for (const { key, policy } of this.policies.values()) yield { key, policy };
  }

  /** The policy of that key, compiled. */
  policy(key: string): CompiledPolicy | undefined {
    return this.policies.get(key);
  }

  #podsOf(node: string): Map<string, Workload[]> {
    let pods = this.#nodes.get(node);
    if (pods === undefined) {
      pods = new Map();
      this.#nodes.set(node, pods);
      for (const workload of this.#workloads.values()) {
        if (workload.node === node) addTo(pods, workload.name, workload);
      }
    }
    return pods;
  }

  /** @returns whether it names other policies than before; what names none is as one that was not there */
  #setWorkload(given: Workload): boolean {
    const before = this.#workloads.get(given.uid)?.authorizationPolicies ?? [];
    this.#removeWorkload(given.uid);
    const workload = this.#stored(given);
    this.#workloads.set(workload.uid, workload);
    if (workload.networkMode !== 'HOST_NETWORK') {
      const index = this.#network(workload.network);
      for (const ip of workload.addresses) index.addWorkload(ip, workload);
    }
    if (workload.hostname !== '') addTo(this.#workloadsByHostname, workload.hostname, workload);
    const pods = this.#nodes.get(workload.node);
    if (pods !== undefined) addTo(pods, workload.name, workload);
    for (const key in workload.services) this.#entry(key).add(workload);
    const after = workload.authorizationPolicies;
    return after.length !== before.length || after.some((key, index) => key !== before[index]);
  }

  /** The workload as it is kept; one that is shared already is kept as it comes. */
  #stored(given: Workload): StoredWorkload {
    if (this.#interner !== undefined) return this.#interner.intern(given);
    return given instanceof StoredWorkload ? given : new StoredWorkload(given, familyOf(given));
  }

  #removeWorkload(uid: string): boolean {
    const workload = this.#workloads.get(uid);
    if (workload === undefined) return false;
    this.#workloads.delete(uid);
    if (workload.networkMode !== 'HOST_NETWORK') {
      const index = this.#network(workload.network);
      for (const ip of workload.addresses) index.removeWorkload(ip, workload);
      this.#dropEmptyNetwork(workload.network);
    }
    if (workload.hostname !== '') removeFrom(this.#workloadsByHostname, workload.hostname, workload);
    const pods = this.#nodes.get(workload.node);
    if (pods !== undefined) removeFrom(pods, workload.name, workload);
    for (const key in workload.services) {
      const entry = this.#services.get(key);
      entry?.remove(workload);
      this.#dropEmptyService(entry);
    }
    return true;
  }

  #setService(service: Service): string {
    const key = serviceKey(service.namespace, service.hostname);
    const entry = this.#entry(key);
    const known = isKnownService(entry);
    // A service that is sent again keeps its place among those that share its hostname or addresses: which of equals is the
    // first must not depend on pushes that change nothing.
    const sameAddresses = known && addressesOf(entry.service) === addressesOf(service);
    if (known && !sameAddresses) this.#unindexAddresses(entry);
    entry.service = service;
    if (!isKnownService(entry)) return key;
    if (!sameAddresses) {
      for (const network of networksOf(service)) this.#network(network).addService(entry, network);
    }
    if (!known) {
      addTo(this.#servicesByHostname, service.hostname, entry);
      if (isWildcard(service.hostname)) this.#wildcardServices.add(service.hostname, entry);
    }
    return key;
  }

  /** Workloads keep their claim: should the service come back, its endpoints are there. */
  #removeService(key: string): boolean {
    const entry = this.#services.get(key);
    if (!isKnownService(entry)) return false;
    this.#unindexAddresses(entry);
    const { hostname } = entry.service;
    removeFrom(this.#servicesByHostname, hostname, entry);
    if (isWildcard(hostname)) this.#wildcardServices.remove(hostname, entry);
    (entry as ServiceEndpoints).service = undefined;
    this.#dropEmptyService(entry);
    return true;
  }

  #unindexAddresses(entry: KnownService): void {
    for (const network of networksOf(entry.service)) {
      this.#networks.get(network)?.removeService(entry, network);
      this.#dropEmptyNetwork(network);
    }
  }

  #entry(key: string): ServiceEndpoints {
    let entry = this.#services.get(key);
    if (entry === undefined) {
      entry = new ServiceEndpoints(key);
      this.#services.set(key, entry);
    }
    return entry;
  }

  #dropEmptyService(entry: ServiceEndpoints | undefined): void {
    if (entry !== undefined && entry.service === undefined && entry.workloads.length === 0)
      this.#services.delete(entry.key);
  }

  #network(name: string): AddressIndex {
    let index = this.#networks.get(name);
    if (index === undefined) {
      index = new AddressIndex();
      this.#networks.set(name, index);
    }
    return index;
  }

  #dropEmptyNetwork(name: string): void {
    if (this.#networks.get(name)?.empty === true) this.#networks.delete(name);
  }
}

function addressesOf(service: Service): string {
  return JSON.stringify([service.addresses, service.cidrAddresses]);
}

function networksOf(service: Service): Set<string> {
  const networks = new Set<string>();
  for (const address of service.addresses) networks.add(address.network);
  for (const range of service.cidrAddresses) networks.add(range.network);
  return networks;
}

function addTo<T>(map: Map<string, T[]>, key: string, value: T): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [value]);
  else list.push(value);
}

function removeFrom<T>(map: Map<string, T[]>, key: string, value: T): void {
  const rest = map.get(key)?.filter((other) => other !== value);
  if (rest === undefined || rest.length === 0) map.delete(key);
  else map.set(key, rest);
}
