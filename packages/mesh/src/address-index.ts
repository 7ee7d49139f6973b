import { Cidr, parseIp } from './ip.ts';
import type { KnownService } from './service-endpoints.ts';
import { bestService, isVisible } from './service-rank.ts';
import type { Workload } from './types.ts';

interface ServiceRange {
  readonly cidr: Cidr;
  readonly service: KnownService;
}

/** Who owns which address, within one network. */
export class AddressIndex {
  /** One workload, or the few that claim the same address. */
  readonly #workloads = new Map<string, Workload | Workload[]>();
  readonly #vips = new Map<string, KnownService[]>();
  readonly #ranges: ServiceRange[] = [];
  readonly #words = new Uint32Array(4);

  get empty(): boolean {
    return this.#workloads.size === 0 && this.#vips.size === 0 && this.#ranges.length === 0;
  }

  addWorkload(ip: string, workload: Workload): void {
    const known = this.#workloads.get(ip);
    if (known === undefined) this.#workloads.set(ip, workload);
    else if (Array.isArray(known)) known.push(workload);
    else this.#workloads.set(ip, [known, workload]);
  }

  removeWorkload(ip: string, workload: Workload): void {
    const known = this.#workloads.get(ip);
    if (known === workload) {
      this.#workloads.delete(ip);
    } else if (Array.isArray(known)) {
      const rest = known.filter((other) => other !== workload);
      if (rest.length === 0) this.#workloads.delete(ip);
      else this.#workloads.set(ip, rest.length === 1 ? rest[0]! : rest);
    }
  }

  /** Of several claimants a pod beats anything else, then one that takes HBONE beats one that does not, then the first. */
  workload(ip: string): Workload | undefined {
    const known = this.#workloads.get(ip);
    if (!Array.isArray(known)) return known;
    let best = known[0];
    for (const claimant of known) if (claimRank(claimant) > claimRank(best!)) best = claimant;
    return best;
  }

  addService(service: KnownService, network: string): void {
    for (const address of service.service.addresses) {
      if (address.network !== network) continue;
      const known = this.#vips.get(address.ip);
      if (known === undefined) this.#vips.set(address.ip, [service]);
      else if (!known.includes(service)) known.push(service);
    }
    for (const range of service.service.cidrAddresses) {
      if (range.network !== network) continue;
      const cidr = Cidr.from(range.ip, range.length);
      if (cidr !== undefined) this.#ranges.push({ cidr, service });
    }
  }

  removeService(service: KnownService, network: string): void {
    for (const address of service.service.addresses) {
      if (address.network !== network) continue;
      const rest = this.#vips.get(address.ip)?.filter((other) => other !== service);
      if (rest === undefined || rest.length === 0) this.#vips.delete(address.ip);
      else this.#vips.set(address.ip, rest);
    }
    for (let at = this.#ranges.length - 1; at >= 0; at--) {
      if (this.#ranges[at]!.service === service) this.#ranges.splice(at, 1);
    }
  }

  /** The service that a client means by an address: an exact address beats any range. */
  service(ip: string, clientNamespace: string): KnownService | undefined {
    return bestService(this.#vips.get(ip), clientNamespace) ?? this.#serviceByRange(ip, clientNamespace);
  }

  /** Among visible ranges that contain the address: the client's own namespace, then the longest prefix, then canonical. */
  #serviceByRange(ip: string, clientNamespace: string): KnownService | undefined {
    if (this.#ranges.length === 0) return undefined;
    const family = parseIp(ip, this.#words);
    let best: KnownService | undefined;
    let bestRank = -1;
    for (const { cidr, service } of this.#ranges) {
      if (!cidr.contains(this.#words, family) || !isVisible(service.service, clientNamespace)) continue;
      const own = service.service.namespace === clientNamespace;
      const rank = (own ? 1024 : 0) + cidr.length * 2 + (service.service.canonical ? 1 : 0);
      if (rank > bestRank) {
        best = service;
        bestRank = rank;
      }
    }
    return best;
  }
}

function claimRank(workload: Workload): number {
  return (workload.uid.includes('//Pod/') ? 2 : 0) + (workload.tunnelProtocol === 'HBONE' ? 1 : 0);
}
