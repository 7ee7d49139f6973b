import { NftablesSocket, RoutingChanges } from '@ambient/linux';
import type { NetworkNamespace } from '@ambient/linux';
import { SPOOFED_TABLE } from '../../rules/pod-rules.ts';

interface Watched {
  readonly netns: NetworkNamespace;
  readonly rules: NftablesSocket;
  readonly routing: RoutingChanges;
  /** How often routing was found to have changed. */
  routingChanges: number;
}

/** Generations of rules and routing in pods' namespaces: two sockets a pod, kept as long as the pod is captured. */
export class RuleGenerations {
  readonly #pods: ReadonlyMap<string, { readonly netns: NetworkNamespace | undefined }>;
  readonly #watched = new Map<string, Watched>();

  constructor(pods: ReadonlyMap<string, { readonly netns: NetworkNamespace | undefined }>) {
    this.#pods = pods;
  }

  /** @returns another text after each change; undefined where it cannot be told */
  of(uid: string): string | undefined {
    const netns = this.#pods.get(uid)?.netns;
    if (netns === undefined) return undefined;
    try {
      const watched = this.#watch(uid, netns);
      if (watched.routing.take(SPOOFED_TABLE)) watched.routingChanges++;
      return `${watched.rules.generation() ?? 'unknown'} ${watched.routingChanges}`;
    } catch {
      // Without it, comparisons find what it would have told, later.
      return undefined;
    }
  }

  /** Closes the sockets of pods that are captured no more. */
  prune(): void {
    for (const [uid, watched] of this.#watched)
      if (this.#pods.get(uid)?.netns !== watched.netns) {
        close(watched);
        this.#watched.delete(uid);
      }
  }

  [Symbol.dispose](): void {
    for (const watched of this.#watched.values()) close(watched);
    this.#watched.clear();
  }

  #watch(uid: string, netns: NetworkNamespace): Watched {
    const known = this.#watched.get(uid);
    if (known?.netns === netns) return known;
    if (known !== undefined) close(known);
    this.#watched.delete(uid);
    const watched = netns.enter(() => {
      using unwind = new DisposableStack();
      const rules = unwind.use(new NftablesSocket());
      const routing = unwind.use(new RoutingChanges());
      unwind.move();
      return { netns, rules, routing, routingChanges: 0 };
    });
    this.#watched.set(uid, watched);
    return watched;
  }
}

function close({ rules, routing }: Watched): void {
  rules.close();
  routing.close();
}
