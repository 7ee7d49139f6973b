import { NftablesSocket, Reactor, RoutingChanges } from '@ambient/linux';
import type { NetworkNamespace } from '@ambient/linux';
import { SPOOFED_TABLE } from '../../rules/pod-rules.ts';

interface Watched {
  readonly netns: NetworkNamespace;
  readonly rules: NftablesSocket;
  readonly routing: RoutingChanges;
  /** How often routing was found to have changed. */
  routingChanges: number;
  /** What was answered last; undefined: it may have changed since. */
  text: string | undefined;
}

/**
 * Generations of rules and routing in pods' namespaces: two sockets a pod, kept as long as the pod is captured, by which the
 * kernel tells of changes. One system call finds those of all pods.
 */
export class RuleGenerations {
  readonly #pods: ReadonlyMap<string, { readonly netns: NetworkNamespace | undefined }>;
  readonly #watched = new Map<string, Watched>();

  readonly #reactor: Reactor;

  /** @param onFault told of a defect */
  constructor(
    pods: ReadonlyMap<string, { readonly netns: NetworkNamespace | undefined }>,
    onFault: (error: unknown) => void,
  ) {
    this.#pods = pods;
    this.#reactor = new Reactor(onFault);
  }

  /** Hears what has changed since the last time: for `heard`. */
  hear(): void {
    this.#reactor.turn(0);
  }

  /** As `of`, of the moment of the last `hear`; asks only where something has changed. */
  heard(uid: string): string | undefined {
    const watched = this.#watched.get(uid);
    const isKnown = watched !== undefined && this.#pods.get(uid)?.netns === watched.netns;
    return (isKnown ? watched.text : undefined) ?? this.of(uid);
  }

  /** @returns another text after each change; undefined where it cannot be told */
  of(uid: string): string | undefined {
    const netns = this.#pods.get(uid)?.netns;
    if (netns === undefined) return undefined;
    try {
      const watched = this.#watch(uid, netns);
      if (watched.routing.take(SPOOFED_TABLE)) watched.routingChanges++;
      watched.text = `${watched.rules.generation() ?? 'unknown'} ${watched.routingChanges}`;
      return watched.text;
    } catch {
      // Without it, comparisons find what it would have told, later.
      return undefined;
    }
  }

  /** Closes the sockets of pods that are captured no more. */
  prune(): void {
    for (const [uid, watched] of this.#watched)
      if (this.#pods.get(uid)?.netns !== watched.netns) {
        this.#close(watched);
        this.#watched.delete(uid);
      }
  }

  [Symbol.dispose](): void {
    for (const watched of this.#watched.values()) this.#close(watched);
    this.#watched.clear();
    this.#reactor.close();
  }

  #watch(uid: string, netns: NetworkNamespace): Watched {
    const known = this.#watched.get(uid);
    if (known?.netns === netns) return known;
    if (known !== undefined) this.#close(known);
    this.#watched.delete(uid);
    const watched = netns.enter((): Watched => {
      using unwind = new DisposableStack();
      const rules = unwind.use(new NftablesSocket());
      const routing = unwind.use(new RoutingChanges());
      unwind.move();
      return { netns, rules, routing, routingChanges: 0, text: undefined };
    });
    const forget = (): void => {
      watched.text = undefined;
    };
    for (const { fd } of [watched.rules, watched.routing])
      this.#reactor.registerReadable(fd, { onReadiness: forget, onFault: forget });
    this.#watched.set(uid, watched);
    return watched;
  }

  #close({ rules, routing }: Watched): void {
    for (const socket of [rules, routing]) {
      this.#reactor.unregister(socket.fd);
      socket.close();
    }
  }
}
