/** How many calls of one address may fail to prove who they are, before each of them costs a question to the API server. */
import { isIPv6 } from 'node:net';

import { CallerLimits } from './caller-limits.ts';
import type { CallerLimit } from './caller-limits.ts';

/** What becomes of a call before it is looked at. */
export type Admission =
  | { readonly kind: 'admitted' }
  /** `first`: the one before it was admitted; the others of a flood need no line in the log. */
  | { readonly kind: 'refused'; readonly waitMs: number; readonly first: boolean };

/**
 * A call takes one out of its address's allowance, and gets it back once it has proven itself: addresses that many honest
 * callers share (NAT, a node) are not limited by this, and one that only guesses is after its burst.
 */
export class AddressLimits {
  readonly #limit: CallerLimit;
  readonly #limits: CallerLimits;
  /** Addresses whose last call was refused. Bounded by what {@link CallerLimits} remembers. */
  readonly #refused = new Set<string>();
  readonly #maxAddresses: number;

  constructor(limit: CallerLimit, maxAddresses = 20_000) {
    this.#limit = limit;
    this.#maxAddresses = maxAddresses;
    this.#limits = new CallerLimits(maxAddresses);
  }

  /** @param peer as gRPC names it, `ADDRESS:PORT` */
  admit(peer: string, nowMs: number): Admission {
    const address = addressOf(peer);
    const waitMs = this.#limits.take(address, this.#limit, nowMs);
    if (waitMs === 0) {
      this.#refused.delete(address);
      return { kind: 'admitted' };
    }
    const first = !this.#refused.has(address);
    if (this.#refused.size >= this.#maxAddresses) this.#refused.clear();
    this.#refused.add(address);
    return { kind: 'refused', waitMs, first };
  }

  /** The call has proven who it is, or failed through no fault of its own. */
  giveBack(peer: string): void {
    this.#limits.giveBack(addressOf(peer), this.#limit);
  }
}

/** Without the port; of IPv6 the /64, all of which one machine may use. */
export function addressOf(peer: string): string {
  const colon = peer.lastIndexOf(':');
  const address = (isIPv6(peer) || colon < 0 ? peer : peer.slice(0, colon)).replace(/^\[(.*)\]$/, '$1');
  const mapped = /^::ffff:(\d+\.\d+\.\d+\.\d+)$/i.exec(address);
  if (mapped !== null) return mapped[1]!;
  return isIPv6(address) ? prefixOf(address) : address;
}

/** The first four groups of an IPv6 address, written out. */
function prefixOf(address: string): string {
  const [head = '', tail] = address.split('%', 1)[0]!.split('::');
  const before = head === '' ? [] : head.split(':');
  const after = tail === undefined || tail === '' ? [] : tail.split(':');
  const zeros = tail === undefined ? 0 : 8 - before.length - after.length;
  const groups = [...before, ...Array.from({ length: zeros }, () => '0'), ...after];
  return `${groups
    .slice(0, 4)
    .map((group) => Number.parseInt(group, 16).toString(16))
    .join(':')}::/64`;
}
