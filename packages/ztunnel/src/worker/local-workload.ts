import { Timer } from '@ambient/linux';
import type { Reactor } from '@ambient/linux';
import type { LocalWorkloadName, MeshStore, Workload } from '@ambient/mesh';
import { workloadWith } from '@ambient/mesh';
import { callEach } from './call-each.ts';
import type { LocalWorkloads } from './context.ts';

/** How long a connection waits for the control plane to tell the workload that it belongs to. */
const WAIT_MS = 5000;
/** How long what the pod sends waits, where the node agent has said who the pod is. */
const STAND_IN_AFTER_MS = 1000;

interface Waiter {
  readonly use: (workload: Workload | undefined) => void;
  readonly timer: Timer;
}

/** Who a pod is before the control plane says so: its name, and what it needs to send. */
export interface LocalFacts {
  readonly name: LocalWorkloadName;
  /** Compared exactly with the workload's node. */
  readonly node: string;
  /** Of the identity to send under meanwhile; undefined: nothing is sent before the control plane has told the workload. */
  readonly trustDomain?: string | undefined;
  readonly network?: string | undefined;
  readonly clusterId?: string | undefined;
}

export interface LocalWorkloadEvents {
  /** A connection that waited has thrown. */
  onFault(error: unknown): void;
  /** The pod begins to send although the control plane has not told its workload. */
  onStandIn?(workload: Workload): void;
}

/** One pod of this node, found in the store by name, namespace and service account. */
export class LocalWorkload implements LocalWorkloads {
  readonly #reactor: Reactor;
  readonly #store: MeshStore;
  readonly #facts: LocalFacts;
  readonly #events: LocalWorkloadEvents;
  #current: Workload | undefined;
  /** Until the control plane speaks. */
  #standIn: Workload | undefined;
  readonly #waiting = new Set<Waiter>();

  constructor(reactor: Reactor, store: MeshStore, facts: LocalFacts, events: LocalWorkloadEvents) {
    this.#reactor = reactor;
    this.#store = store;
    this.#facts = facts;
    this.#events = events;
    this.#current = store.localWorkload(facts.name, facts.node);
  }

  get current(): Workload | undefined {
    return this.#current;
  }

  get sender(): Workload | undefined {
    return this.#current ?? this.#standIn;
  }

  find(use: (workload: Workload | undefined) => void): void {
    if (this.#current !== undefined) use(this.#current);
    else this.#wait(WAIT_MS, use, () => undefined);
  }

  findSender(use: (workload: Workload | undefined) => void): void {
    const known = this.sender;
    if (known !== undefined) use(known);
    else if (this.#facts.trustDomain === undefined) this.find(use);
    else this.#wait(STAND_IN_AFTER_MS, use, () => this.#stand());
  }

  #wait(
    ms: number,
    use: (workload: Workload | undefined) => void,
    otherwise: () => Workload | undefined,
  ): void {
    const waiter: Waiter = {
      use,
      timer: new Timer(() => {
        this.#waiting.delete(waiter);
        use(otherwise());
      }),
    };
    this.#waiting.add(waiter);
    this.#reactor.setTimer(waiter.timer, ms);
  }

  #stand(): Workload {
    if (this.#standIn !== undefined) return this.#standIn;
    const { name, node, trustDomain, network, clusterId } = this.#facts;
    this.#standIn = workloadWith({
      uid: `${name.namespace}/${name.name}`,
      ...name,
      node,
      ...(trustDomain === undefined ? {} : { trustDomain }),
      ...(network === undefined ? {} : { network }),
      ...(clusterId === undefined ? {} : { clusterId }),
    });
    this.#events.onStandIn?.(this.#standIn);
    return this.#standIn;
  }

  /** The store has changed. */
  onMeshChange(): void {
    this.#current = this.#store.localWorkload(this.#facts.name, this.#facts.node);
    if (this.#current === undefined) return;
    this.#standIn = undefined;
    this.#release(this.#current);
  }

  /** The pod is gone: whoever waits is told that nothing comes. */
  close(): void {
    this.#release(undefined);
  }

  #release(workload: Workload | undefined): void {
    if (this.#waiting.size === 0) return;
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const { timer } of waiting) this.#reactor.cancelTimer(timer);
    const goOn = ({ use }: Waiter): void => {
      use(workload);
    };
    callEach(waiting, goOn, (error) => {
      this.#events.onFault(error);
    });
  }
}
