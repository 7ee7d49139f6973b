// Addresses for the hosts of ServiceEntries that have none, so that clients can tell the hosts apart by address.
import { canonicalIp } from '@ambient/mesh';
import type { ServiceEntry } from '@ambient/kube';
import type { FieldProblem } from '../validation/problem.ts';
import { AddressPool } from './address-pool.ts';
import { allocatedAddressesOf, hostsDueAddresses } from './allocated-addresses.ts';
import { readServiceEntry } from './read-service-entry.ts';

export interface EntryName {
  readonly namespace: string;
  readonly name: string;
}

export interface AllocatedAddress {
  readonly host: string;
  readonly value: string;
}

export interface AllocationPlan {
  /** What `status.addresses` should be. */
  readonly addresses: readonly AllocatedAddress[];
  /** Whether that is something else than it is. */
  readonly changed: boolean;
  readonly problems: readonly FieldProblem[];
}

/** One host's claim on an address. */
interface Claim {
  readonly entry: EntryName;
  readonly host: string;
  /** Age, then name: smaller comes first. Addresses that a user wrote come before all. */
  readonly rank: string;
}

interface Known {
  readonly name: EntryName;
  readonly age: string;
  readonly addresses: Set<string>;
}

/**
 * Gives out addresses. What is in a status stays, so a restart and another replica come to the same; new ones follow
 * from the names alone, by a hash and the next free place. Of two entries with one address the older keeps it, and
 * addresses that users wrote into `spec.addresses` are nobody else's.
 *
 * To be used by the leader alone, which shows it every entry before it asks for a plan.
 */
export class AddressAllocator {
  readonly #pools: readonly AddressPool[];
  readonly #claims = new Map<string, Claim[]>();
  readonly #known = new Map<string, Known>();

  /** @throws AddressPoolError */
  constructor(ranges: readonly string[] = ['240.240.0.0/16', '2001:2::/48']) {
    this.#pools = ranges.map((range) => new AddressPool(range));
  }

  /**
   * Takes in an entry that is new or has changed.
   *
   * @returns the entries that have lost an address by it, for which a new plan is due
   */
  observe(entry: ServiceEntry): EntryName[] {
    const { name, namespace = '', creationTimestamp = '' } = entry.metadata;
    this.forget(namespace, name);
    const known = { name: { namespace, name }, age: creationTimestamp, addresses: new Set<string>() };
    this.#known.set(keyOf(known.name), known);
    const losers = new Map<string, EntryName>();
    const claim = (host: string, text: string, written: boolean): void => {
      const address = canonicalIp(text);
      if (address === undefined || !this.#pools.some((pool) => pool.has(address))) return;
      const holder = this.#holder(address);
      const mine = this.#add(known, host, address, written);
      if (holder !== undefined && holder.entry !== known.name && isBefore(mine, holder)) {
        losers.set(keyOf(holder.entry), holder.entry);
      }
    };
    for (const address of readServiceEntry(entry).addresses) claim('', address, true);
    for (const host of hostsDueAddresses(entry)) {
      for (const address of allocatedAddressesOf(entry, host)) claim(host, address, false);
    }
    return [...losers.values()];
  }

  forget(namespace: string, name: string): void {
    const key = keyOf({ namespace, name });
    for (const address of this.#known.get(key)?.addresses ?? []) {
      const left = (this.#claims.get(address) ?? []).filter(({ entry }) => keyOf(entry) !== key);
      if (left.length === 0) this.#claims.delete(address);
      else this.#claims.set(address, left);
    }
    this.#known.delete(key);
  }

  /** Addresses in use. */
  get size(): number {
    return this.#claims.size;
  }

  /**
   * The addresses that an entry should have: one of each pool for each host that is due any. They are set aside at
   * once, until the entry is seen again.
   */
  plan(entry: ServiceEntry): AllocationPlan {
    const { name, namespace = '' } = entry.metadata;
    // From what is written alone: a plan that was never written must not lead to another one.
    this.observe(entry);
    const known = this.#known.get(keyOf({ namespace, name }))!;
    const current = entry.status?.addresses ?? [];
    const due = hostsDueAddresses(entry);
    // What stands in the status of an entry that is due none is not used; nor is it ours to clear.
    if (due.length === 0) return { addresses: [], changed: false, problems: [] };
    const addresses: AllocatedAddress[] = [];
    const problems: FieldProblem[] = [];
    for (const host of due) {
      const kept = allocatedAddressesOf(entry, host);
      const values = this.#pools.map((pool) =>
        kept.find((text) => this.#isHeld(pool, text, known.name, host)),
      );
      const fresh = this.#fresh(`${namespace}/${name}/${host}`, values);
      for (const [i, pool] of this.#pools.entries()) {
        const value = values[i] ?? fresh[i];
        if (value === undefined) {
          const message = `no address is left in the pool of IPv${pool.family} for ${JSON.stringify(host)}: widen the pool or write addresses`;
          problems.push({ path: 'spec.addresses', message, severity: 'error' });
          continue;
        }
        if (values[i] === undefined) this.#add(known, host, value, false);
        addresses.push({ host, value });
      }
    }
    const changed =
      addresses.length !== current.length ||
      addresses.some(({ host, value }, i) => current[i]?.host !== host || current[i].value !== value);
    return { addresses, changed, problems };
  }

  /** Whether a host has an address of a pool, and has it alone or first. */
  #isHeld(pool: AddressPool, text: string, entry: EntryName, host: string): boolean {
    const address = canonicalIp(text);
    if (address === undefined || !pool.has(address)) return false;
    const holder = this.#holder(address);
    return holder?.entry === entry && holder.host === host;
  }

  /** A free address of every pool whose place in `values` is empty; at one place in all of them where that is free. */
  #fresh(key: string, values: readonly (string | undefined)[]): (string | undefined)[] {
    const wanted = this.#pools.filter((_, i) => values[i] === undefined);
    const start = fnv1a(key);
    const smallest = Math.min(...wanted.map(({ size }) => size));
    for (let step = 0; wanted.length > 1 && step < smallest; step++) {
      const index = (start + step) % smallest;
      if (wanted.every((pool) => !this.#claims.has(pool.at(index)))) {
        return this.#pools.map((pool, i) => (values[i] === undefined ? pool.at(index) : undefined));
      }
    }
    return this.#pools.map((pool, i) => (values[i] === undefined ? this.#probe(pool, start) : undefined));
  }

  #probe(pool: AddressPool, start: number): string | undefined {
    for (let step = 0; step < pool.size && step <= this.#claims.size; step++) {
      const address = pool.at((start + step) % pool.size);
      if (!this.#claims.has(address)) return address;
    }
    return undefined;
  }

  #holder(address: string): Claim | undefined {
    const claims = this.#claims.get(address);
    return claims?.reduce((first, claim) => (isBefore(claim, first) ? claim : first));
  }

  #add(known: Known, host: string, address: string, written: boolean): Claim {
    const rank = `${written ? 0 : 1} ${known.age} ${keyOf(known.name)} ${host}`;
    const claim = { entry: known.name, host, rank };
    known.addresses.add(address);
    const present = this.#claims.get(address);
    if (present === undefined) this.#claims.set(address, [claim]);
    else present.push(claim);
    return claim;
  }
}

const keyOf = ({ namespace, name }: EntryName): string => `${namespace}/${name}`;

const isBefore = (a: Claim, b: Claim): boolean => a.rank < b.rank;

/** FNV-1a, 32 bits, over UTF-16 units: spreads names over a pool; nothing secret depends on it. */
function fnv1a(text: string): number {
  let hash = 0x811c9dc5;
  for (let i = 0; i < text.length; i++) {
    hash = Math.imul(hash ^ text.charCodeAt(i), 0x01000193);
  }
  return hash >>> 0;
}
