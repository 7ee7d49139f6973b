import { readFileSync } from 'node:fs';
import { NetworkNamespace } from '@ambient/linux';
import type { RuleBackend } from './backend.ts';
import { RulesError } from './errors.ts';
import type { Family } from './iptables-text.ts';
import type { PodCapture } from './pod-capture.ts';
import type { SpoofedRouting } from './spoofed-routing.ts';
import {
  noRouting,
  planSpoofedRouting,
  readSpoofedRouting,
  routingText,
  setSpoofedRouting,
} from './spoofed-routing.ts';

/** Something that is missing in a pod, or is there and should not be. */
export interface Drift {
  readonly kind: 'missing' | 'unexpected';
  readonly what: string;
}

const families: readonly Family[] = ['v4', 'v6'];

/** Sets, checks and removes the capture of pods, inside their network namespaces. */
export class PodRuleApplier {
  readonly #backend: RuleBackend;
  readonly #ipv6: boolean;
  /** By what was asked for: how the tools of this node list it when it is there. */
  readonly #references = new Map<string, Promise<readonly string[]>>();

  /** @param ipv6 whether the agent cares for IPv6 at all (AMBIENT_IPV6) */
  constructor(backend: RuleBackend, ipv6: boolean) {
    this.#backend = backend;
    this.#ipv6 = ipv6;
  }

  get backend(): string {
    return this.#backend.name;
  }

  /**
   * Captures a pod that was not captured: afterwards it has all of its rules and nothing else of ours, whatever it had before.
   * @throws RulesError ERR_RULES_STEP, ERR_RULES_TOOL_MISSING: the pod is not captured, what was set has been taken back;
   *   ERR_RULES_HALF_SET: that failed as well
   */
  async apply(namespace: NetworkNamespace, capture: PodCapture): Promise<void> {
    try {
      for (const family of this.#families)
        setSpoofedRouting(namespace, family, wantedRouting(namespace, capture, family));
      await this.#backend.install(namespace, capture);
    } catch (error) {
      try {
        await this.remove(namespace);
      } catch (undo) {
        const cause = new AggregateError([error, undo]);
        throw new RulesError(
          'ERR_RULES_HALF_SET',
          `${textOf(error)}; and what was set before could not be taken back: ${textOf(undo)}. ` +
            'The pod may be unreachable: restart it',
          { cause },
        );
      }
      throw error;
    }
  }

  /**
   * Sets the rules of a captured pod anew. What fails keeps nothing else from being set, and nothing is taken back: a pod
   * of which a part is missing is better off than one that is open.
   * @throws RulesError the first step that failed, when all have been tried
   */
  async renew(namespace: NetworkNamespace, capture: PodCapture): Promise<void> {
    await everyOne([
      this.#backend.install(namespace, capture),
      // Within a promise: what fails must not keep the rest from being tried.
      ...this.#families.map((family) =>
        Promise.resolve().then(() =>
          setSpoofedRouting(namespace, family, wantedRouting(namespace, capture, family)),
        ),
      ),
    ]);
  }

  /**
   * Releases a pod: nothing of ours is left.
   * @throws RulesError the first step that failed, when all have been tried
   */
  async remove(namespace: NetworkNamespace): Promise<void> {
    await everyOne([
      this.#backend.uninstall(namespace),
      // Within a promise: what fails must not keep the rest from being tried.
      ...this.#families.map((family) =>
        Promise.resolve().then(() => setSpoofedRouting(namespace, family, noRouting)),
      ),
    ]);
  }

  /**
   * Compares what a pod has with what it should have, in the tools' own spelling.
   * @returns empty when all of it is there, unchanged and in order
   * @throws RulesError when it cannot be listed
   */
  async check(namespace: NetworkNamespace, capture: PodCapture): Promise<readonly Drift[]> {
    const routing = this.#families.flatMap((family) => this.#routingDrift(namespace, capture, family));
    const [present, wanted] = await Promise.all([
      this.#backend.list(namespace, capture),
      this.#reference(capture),
    ]);
    return [...compareLists(present, wanted), ...routing];
  }

  get #families(): readonly Family[] {
    return this.#ipv6 ? families : ['v4'];
  }

  /** Tools and kernels spell the same rule in many ways. So the list to expect is made by themselves, in a namespace that nobody uses. */
  #reference(capture: PodCapture): Promise<readonly string[]> {
    const key = JSON.stringify(capture);
    let reference = this.#references.get(key);
    if (reference === undefined) {
      reference = this.#makeReference(capture);
      this.#references.set(key, reference);
      reference.catch(() => this.#references.delete(key));
    }
    return reference;
  }

  async #makeReference(capture: PodCapture): Promise<readonly string[]> {
    using scratch = NetworkNamespace.create();
    await this.#backend.install(scratch, capture);
    return await this.#backend.list(scratch, capture);
  }

  #routingDrift(namespace: NetworkNamespace, capture: PodCapture, family: Family): Drift[] {
    const wanted = wantedRouting(namespace, capture, family);
    return planSpoofedRouting(readSpoofedRouting(namespace, family), wanted).map((step) => ({
      kind: step.verb === 'add' ? 'missing' : 'unexpected',
      what: routingText(step, family),
    }));
  }
}

/** Differences of two lists of rules; a change of order alone counts too. */
export function compareLists(present: readonly string[], wanted: readonly string[]): Drift[] {
  const missing = wanted.filter((line) => !present.includes(line));
  const unexpected = present.filter((line) => !wanted.includes(line));
  const drift: Drift[] = [
    ...missing.map((what) => ({ kind: 'missing', what }) as const),
    ...unexpected.map((what) => ({ kind: 'unexpected', what }) as const),
  ];
  if (drift.length > 0) return drift;
  const at = wanted.findIndex((line, index) => present[index] !== line);
  if (at >= 0) return [{ kind: 'missing', what: `${wanted[at]!} in its place` }];
  return present.length > wanted.length
    ? [{ kind: 'unexpected', what: `${present[wanted.length]!} once more` }]
    : [];
}

/** Waits for the end of all, whatever becomes of each: nobody cleans up behind a step that goes on. @throws the first failure */
async function everyOne(steps: readonly Promise<void>[]): Promise<void> {
  for (const result of await Promise.allSettled(steps)) if (result.status === 'rejected') throw result.reason;
}

function wantedRouting(namespace: NetworkNamespace, capture: PodCapture, family: Family): SpoofedRouting {
  if (family === 'v4') return { rules: 1, route: true };
  if (!capture.ipv6) return noRouting;
  return { rules: 1, route: loopbackHasIpv6(namespace) };
}

/** A route to `lo` is refused where IPv6 is off for that interface, as container runtimes leave it on IPv4 clusters. */
function loopbackHasIpv6(namespace: NetworkNamespace): boolean {
  return namespace.enter(() => {
    try {
      return readFileSync('/proc/sys/net/ipv6/conf/lo/disable_ipv6', 'utf8').trim() !== '1';
    } catch {
      return false; // a kernel without IPv6
    }
  });
}

function textOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
