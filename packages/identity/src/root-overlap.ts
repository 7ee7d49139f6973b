/**
 * Roots over the replies of a CA. While a mesh changes its root, a proxy that has the new root meets peers whose leaves
 * hang from the old one, until those renew. So a root stays trusted until the last leaf that came with it has expired:
 * with renewal at half life that is the previous reply's root, for the half of its life that is left.
 *
 * The price: a root that an operator withdraws is believed for that long by proxies that had it. A revocation list, or
 * a restart, ends it at once.
 */
export class RootOverlap {
  /** PEM of a root, to the Unix milliseconds until which it is trusted; in the order of arrival. */
  readonly #untilMs = new Map<string, number>();
  #current: readonly string[] = [];

  /** Takes the roots of a reply whose leaf ends at `notAfterMs`. */
  add(rootsPem: readonly string[], notAfterMs: number, nowMs: number): void {
    this.#current = rootsPem;
    for (const root of rootsPem) this.#untilMs.set(root, Math.max(notAfterMs, this.#untilMs.get(root) ?? 0));
    this.#prune(nowMs);
  }

  /** Roots of the newest reply, then those of earlier ones that are still trusted. Never two of a kind. */
  list(nowMs: number): string[] {
    this.#prune(nowMs);
    return Array.from(new Set([...this.#current, ...this.#untilMs.keys()]));
  }

  /** When the list shrinks next, Unix milliseconds; undefined if no earlier root is left. */
  nextChangeMs(nowMs: number): number | undefined {
    this.#prune(nowMs);
    let nextMs: number | undefined;
    for (const [root, untilMs] of this.#untilMs)
      if (!this.#current.includes(root) && (nextMs === undefined || untilMs < nextMs)) nextMs = untilMs;
    return nextMs === undefined ? undefined : nextMs + 1;
  }

  #prune(nowMs: number): void {
    for (const [root, untilMs] of this.#untilMs)
      if (untilMs < nowMs && !this.#current.includes(root)) this.#untilMs.delete(root);
  }
}
