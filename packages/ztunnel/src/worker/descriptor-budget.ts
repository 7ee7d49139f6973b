import type { DescriptorQuota } from '@ambient/linux';
import { ProxyError } from '../connections/failure.ts';

/**
 * The descriptors that one worker's pods may have for what they carry, divided by a threshold that moves (Choudhury and
 * Hahne 1998): a pod may hold as many as are still free. Alone, one that takes all it can get ends at half; two end at a
 * third each; and there always is a part left for the others.
 */
export class DescriptorBudget {
  /** Free of all pods and listeners. */
  free: number;
  readonly #maxPerPod: number;

  /**
   * @param total of this worker
   * @param maxPerPod whatever is free
   */
  constructor(total: number, maxPerPod = Infinity) {
    this.free = total;
    this.#maxPerPod = maxPerPod;
  }

  /** A pod's part. */
  pod(): PodBudget {
    return new PodBudget(this, this.#maxPerPod);
  }
}

/** What one pod has in one worker. */
export class PodBudget implements DescriptorQuota {
  readonly #worker: DescriptorBudget;
  readonly #max: number;
  #held = 0;
  #set = 0;

  /** @internal by DescriptorBudget */
  constructor(worker: DescriptorBudget, max: number) {
    this.#worker = worker;
    this.#max = max;
  }

  /** Connections, datagram sockets and pipes that are open now. */
  get held(): number {
    return this.#held;
  }

  take(): Error | undefined {
    if (this.#held >= Math.min(this.#max, this.#worker.free)) {
      const text = `the pod has ${this.#held} sockets in this data worker, where ${Math.max(0, this.#worker.free)} are free`;
      return new ProxyError('pod-sockets-used-up', text);
    }
    this.#held++;
    this.#worker.free--;
    return undefined;
  }

  giveBack(): void {
    this.#held--;
    this.#worker.free++;
  }

  /** What the pod has whether it carries anything or not. Never refused: without listeners it would not be served. */
  setAside(descriptors: number): void {
    this.#set += descriptors;
    this.#worker.free -= descriptors;
  }

  /** The pod is gone: what was set aside is free again. */
  release(): void {
    this.#worker.free += this.#set;
    this.#set = 0;
  }
}
