import { Timer } from '@ambient/linux';
import type { Reactor } from '@ambient/linux';
import type { LocalWorkloadName, MeshStore, Workload } from '@ambient/mesh';
import { callEach } from './call-each.ts';
import type { LocalWorkloads } from './context.ts';

/** How long a connection waits for the control plane to tell the workload that it belongs to. */
const WAIT_MS = 5000;

interface Waiter {
  readonly use: (workload: Workload | undefined) => void;
  readonly timer: Timer;
}

/** One pod of this node, found in the store by name, namespace and service account. */
export class LocalWorkload implements LocalWorkloads {
  readonly #reactor: Reactor;
  readonly #store: MeshStore;
  readonly #name: LocalWorkloadName;
  readonly #node: string;
  readonly #onFault: (error: unknown) => void;
  #current: Workload | undefined;
  readonly #waiting = new Set<Waiter>();

  /**
   * @param node compared exactly with the workload's node
   * @param onFault told when a connection that waited throws
   */
  constructor(
    reactor: Reactor,
    store: MeshStore,
    name: LocalWorkloadName,
    node: string,
    onFault: (error: unknown) => void,
  ) {
    this.#onFault = onFault;
    this.#reactor = reactor;
    this.#store = store;
    this.#name = name;
    this.#node = node;
    this.#current = store.localWorkload(name, node);
  }

  get current(): Workload | undefined {
    return this.#current;
  }

  find(use: (workload: Workload | undefined) => void): void {
    if (this.#current !== undefined) {
      use(this.#current);
      return;
    }
    const waiter: Waiter = {
      use,
      timer: new Timer(() => {
        this.#waiting.delete(waiter);
        use(undefined);
      }),
    };
    this.#waiting.add(waiter);
    this.#reactor.setTimer(waiter.timer, WAIT_MS);
  }

  /** The store has changed. */
  onMeshChange(): void {
    this.#current = this.#store.localWorkload(this.#name, this.#node);
    if (this.#current === undefined || this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { timer } of waiting) this.#reactor.cancelTimer(timer);
    const goOn = ({ use }: Waiter): void => {
      use(this.#current);
    };
    callEach(waiting, goOn, this.#onFault);
  }
}
