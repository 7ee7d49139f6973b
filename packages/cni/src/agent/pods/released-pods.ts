import type { NetworkNamespace } from '@ambient/linux';
import type { Clock } from '@ambient/runtime';

export interface ReleasedPodsOptions {
  /** How long connections of a released pod that ztunnel carries keep their translation, milliseconds. */
  readonly graceMs: number;
  readonly clock: Clock;
  /** The pod's grace is over: `finish` is due. */
  readonly onGraceOver: (uid: string) => void;
  /** Takes what is left out of a pod, and closes its namespace. */
  readonly finish: (netns: NetworkNamespace, uid: string) => Promise<void>;
}

interface ReleasedPod {
  readonly netns: NetworkNamespace;
  readonly grace: Disposable;
}

/** Pods that are being released: nothing new of them is captured, what ztunnel carries may come to its end. */
export class ReleasedPods {
  readonly #options: ReleasedPodsOptions;
  readonly #pods = new Map<string, ReleasedPod>();

  constructor(options: ReleasedPodsOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#pods.size;
  }

  /** @param netns owned from now on */
  add(uid: string, netns: NetworkNamespace): void {
    const { graceMs, clock, onGraceOver } = this.#options;
    this.#pods.set(uid, { netns, grace: clock.setTimer(graceMs, () => onGraceOver(uid)) });
  }

  /** The namespace of a pod that is being released, open as long as that. */
  namespaceOf(uid: string): NetworkNamespace | undefined {
    return this.#pods.get(uid)?.netns;
  }

  /** The pod is captured again: its release never comes to its end. */
  recall(uid: string): void {
    this.#take(uid)?.netns.close();
  }

  /** Brings a release to its end. @returns false if the pod is not being released */
  async finish(uid: string): Promise<boolean> {
    const released = this.#take(uid);
    if (released === undefined) return false;
    await this.#options.finish(released.netns, uid);
    return true;
  }

  /** The same for all, so many at a time. */
  async finishAll(concurrency: number): Promise<void> {
    const left = [...this.#pods.keys()];
    const work = async (): Promise<void> => {
      for (let next = left.pop(); next !== undefined; next = left.pop()) await this.finish(next);
    };
    await Promise.all(Array.from({ length: concurrency }, work));
  }

  #take(uid: string): ReleasedPod | undefined {
    const released = this.#pods.get(uid);
    this.#pods.delete(uid);
    released?.grace[Symbol.dispose]();
    return released;
  }
}
