import { lookup } from 'node:dns/promises';
import type { Clock } from '@ambient/runtime';

/** What a name stands for; `error` if it could not be resolved, with no addresses then. */
export interface ResolvedName {
  /** IP addresses in the order of preference. */
  readonly addresses: readonly string[];
  readonly error?: string;
}

/** The system's resolver. @throws if the name does not resolve */
export type LookupHostname = (hostname: string) => Promise<readonly string[]>;

/** Asks the system as any program on it would. @param ipv6 whether IPv6 addresses are of use */
export function systemLookup(ipv6: boolean): LookupHostname {
  return async (hostname) => {
    const found = await lookup(hostname, { all: true, family: ipv6 ? 0 : 4, order: 'verbatim' });
    return found.map(({ address }) => address);
  };
}

/** The system's resolver tells no time to live; this is short enough to follow what moves. */
const keptMs = 5000;
const maxNames = 1024;

interface Entry {
  readonly untilMs: number;
  readonly result: ResolvedName;
}

/** Resolves the hostnames of workloads that have no address, for all workers; each name once at a time, kept for 5 s. */
export class HostnameResolver {
  readonly #lookup: LookupHostname;
  readonly #clock: Clock;
  readonly #known = new Map<string, Entry>();
  readonly #asking = new Map<string, ((result: ResolvedName) => void)[]>();

  constructor(lookupHostname: LookupHostname, clock: Clock) {
    this.#lookup = lookupHostname;
    this.#clock = clock;
  }

  /** Calls `use` once, possibly before this returns. */
  resolve(hostname: string, use: (result: ResolvedName) => void): void {
    const known = this.#known.get(hostname);
    if (known !== undefined && this.#clock.nowMs() < known.untilMs) {
      use(known.result);
      return;
    }
    const asking = this.#asking.get(hostname);
    if (asking !== undefined) {
      asking.push(use);
      return;
    }
    this.#asking.set(hostname, [use]);
    this.#lookup(hostname).then(
      (addresses) => this.#answer(hostname, { addresses }),
      (error: unknown) =>
        this.#answer(hostname, {
          addresses: [],
          error: error instanceof Error ? error.message : String(error),
        }),
    );
  }

  #answer(hostname: string, result: ResolvedName): void {
    const waiting = this.#asking.get(hostname) ?? [];
    this.#asking.delete(hostname);
    this.#known.delete(hostname);
    this.#known.set(hostname, { untilMs: this.#clock.nowMs() + keptMs, result });
    // The oldest answer is the first of the map.
    if (this.#known.size > maxNames) this.#known.delete(this.#known.keys().next().value!);
    for (const use of waiting) use(result);
  }
}
