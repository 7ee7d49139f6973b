/** Which certificates this replica has issued and are still valid, by identity: what revoking an identity needs. In memory. */
import { formatSpiffe } from '@ambient/identity';
import type { Identity } from '@ambient/identity';

export interface IssuedEntry {
  /** Lower-case hex. */
  readonly serialNumber: string;
  readonly issuedMs: number;
  readonly notAfterMs: number;
}

/** Bounded: beyond the limit the identity that got a certificate longest ago is forgotten. */
export class IssuedLog {
  readonly #maxEntries: number;
  /** In the order of the last certificate. */
  readonly #byIdentity = new Map<string, IssuedEntry[]>();
  #size = 0;

  constructor(maxEntries = 200_000) {
    this.#maxEntries = maxEntries;
  }

  get size(): number {
    return this.#size;
  }

  add(identity: Identity, entry: IssuedEntry): void {
    const key = formatSpiffe(identity);
    const before = this.#byIdentity.get(key) ?? [];
    const kept = before.filter(({ notAfterMs }) => notAfterMs > entry.issuedMs);
    kept.push(entry);
    this.#size += kept.length - before.length;
    this.#byIdentity.delete(key);
    this.#byIdentity.set(key, kept);
    this.#forget(entry.issuedMs);
  }

  /** Certificates of an identity that were issued up to `untilMs` and are valid at `nowMs`. */
  find(identity: Identity, untilMs: number, nowMs: number): readonly IssuedEntry[] {
    return (this.#byIdentity.get(formatSpiffe(identity)) ?? []).filter(
      ({ issuedMs, notAfterMs }) => issuedMs <= untilMs && notAfterMs > nowMs,
    );
  }

  /** Drops, from the front, identities whose last certificate has expired, and those beyond the limit. */
  #forget(nowMs: number): void {
    for (const [identity, entries] of this.#byIdentity) {
      if (this.#size <= this.#maxEntries && entries.at(-1)!.notAfterMs > nowMs) return;
      this.#byIdentity.delete(identity);
      this.#size -= entries.length;
    }
  }
}
