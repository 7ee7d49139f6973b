import { NftablesSocket } from '@ambient/linux';
import type { NetworkNamespace } from '@ambient/linux';

interface Watched {
  readonly netns: NetworkNamespace;
  readonly socket: NftablesSocket;
}

/** Generations of the rules in pods' namespaces: one socket a pod, kept as long as the pod is captured. */
export class RuleGenerations {
  readonly #pods: ReadonlyMap<string, { readonly netns: NetworkNamespace | undefined }>;
  readonly #watched = new Map<string, Watched>();

  constructor(pods: ReadonlyMap<string, { readonly netns: NetworkNamespace | undefined }>) {
    this.#pods = pods;
  }

  /** @returns undefined where it cannot be told */
  of(uid: string): number | undefined {
    const netns = this.#pods.get(uid)?.netns;
    if (netns === undefined) return undefined;
    try {
      return this.#socketIn(uid, netns).generation();
    } catch {
      // Without it, comparisons find what it would have told, later.
      return undefined;
    }
  }

  /** Closes the sockets of pods that are captured no more. */
  prune(): void {
    for (const [uid, { netns, socket }] of this.#watched)
      if (this.#pods.get(uid)?.netns !== netns) {
        socket.close();
        this.#watched.delete(uid);
      }
  }

  [Symbol.dispose](): void {
    for (const { socket } of this.#watched.values()) socket.close();
    this.#watched.clear();
  }

  #socketIn(uid: string, netns: NetworkNamespace): NftablesSocket {
    const known = this.#watched.get(uid);
    if (known?.netns === netns) return known.socket;
    known?.socket.close();
    const socket = netns.enter(() => new NftablesSocket());
    this.#watched.set(uid, { netns, socket });
    return socket;
  }
}
