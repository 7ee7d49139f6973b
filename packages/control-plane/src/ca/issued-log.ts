/** Which certificates this replica has issued and are still valid, by identity: what revoking an identity needs. In memory. */
import { formatSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';

export interface IssuedEntry {
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly issuedMs: number;
  readonly notAfterMs: number;
}

/** Certificates of one identity, and how many it takes until those that have ended are looked for again. */
interface Held {
  entries: IssuedEntry[];
  sweepAt: number;
}

const firstSweep = 16;

/** Bounded: beyond the limit the identity that got a certificate longest ago is forgotten. */
export class IssuedLog {
  readonly #maxEntries: number;
  /** In the order of the last certificate. */
  readonly #byIdentity = new Map<string, Held>();
  #size = 0;

  constructor(maxEntries = 200_000) {
    this.#maxEntries = maxEntries;
  }

  /** Entries that are held; some may have ended. */
  get size(): number {
    return this.#size;
  }

  add(identity: Identity, entry: IssuedEntry): void {
    const key = formatSpiffe(identity);
    const held = this.#byIdentity.get(key) ?? { entries: [], sweepAt: firstSweep };
    held.entries.push(entry);
    this.#size += 1;
    // Thousands of pods may share an account: all of its certificates are looked at only when they have doubled.
    if (held.entries.length >= held.sweepAt) this.#sweep(held, entry.issuedMs);
    this.#byIdentity.delete(key);
    this.#byIdentity.set(key, held);
    this.#forget(entry.issuedMs);
  }

  /** Certificates of an identity that were issued up to `untilMs` and are valid at `nowMs`. */
  find(identity: Identity, untilMs: number, nowMs: number): readonly IssuedEntry[] {
    return (this.#byIdentity.get(formatSpiffe(identity))?.entries ?? []).filter(
      ({ issuedMs, notAfterMs }) => issuedMs <= untilMs && notAfterMs > nowMs,
    );
  }

  #sweep(held: Held, nowMs: number): void {
    const alive = held.entries.filter(({ notAfterMs }) => notAfterMs > nowMs);
    this.#size -= held.entries.length - alive.length;
    held.entries = alive;
    held.sweepAt = Math.max(firstSweep, 2 * alive.length);
  }

  /** Drops, from the front, identities whose last certificate has expired, and those beyond the limit. */
  #forget(nowMs: number): void {
    for (const [identity, { entries }] of this.#byIdentity) {
      if (this.#size <= this.#maxEntries && entries.at(-1)!.notAfterMs > nowMs) return;
      this.#byIdentity.delete(identity);
      this.#size -= entries.length;
    }
  }
}
