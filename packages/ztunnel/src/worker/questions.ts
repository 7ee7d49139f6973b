import type { Reactor, SocketAddress } from '@ambient/linux';
import { Timer } from '@ambient/linux';
import type { MeshStore } from '@ambient/mesh';
import { callEach } from './call-each.ts';
import type { FromWorker } from './messages.ts';

/** How long a connection waits for an answer of the control plane about its destination. */
const DEMAND_WAIT_MS = 5000;

type Resolved = (addresses: readonly string[], error: string | undefined) => void;

/** What a worker asks of the main thread on behalf of connections, which wait meanwhile. */
export class Questions {
  readonly #reactor: Reactor;
  readonly #store: MeshStore;
  readonly #post: (message: FromWorker) => void;
  readonly #network: string;
  readonly #onDemand: boolean;
  readonly #names = new Map<number, Resolved>();
  readonly #demands = new Map<string, Set<() => void>>();
  #nextId = 1;
  readonly #onFault: (error: unknown) => void;

  /**
   * @param onDemand discovery is told only what is asked for
   * @param onFault told when a connection that waited throws
   */
  constructor(
    reactor: Reactor,
    store: MeshStore,
    post: (message: FromWorker) => void,
    network: string,
    onDemand: boolean,
    onFault: (error: unknown) => void,
  ) {
    this.#onFault = onFault;
    this.#reactor = reactor;
    this.#store = store;
    this.#post = post;
    this.#network = network;
    this.#onDemand = onDemand;
  }

  resolve(hostname: string, use: Resolved): void {
    const id = this.#nextId++;
    this.#names.set(id, use);
    this.#post({ kind: 'resolve', id, hostname });
  }

  onResolved(id: number, addresses: readonly string[], error: string | undefined): void {
    const use = this.#names.get(id);
    this.#names.delete(id);
    if (use === undefined) return;
    const goOn = (each: Resolved): void => {
      each(addresses, error);
    };
    callEach([use], goOn, this.#onFault);
  }

  demand(destination: SocketAddress, use: () => void): void {
    if (!this.#onDemand || this.#store.findAddress(this.#network, destination.ip, '') !== undefined) {
      use();
      return;
    }
    const key = `${this.#network}/${destination.ip}`;
    let waiting = this.#demands.get(key);
    if (waiting === undefined) {
      waiting = new Set();
      this.#demands.set(key, waiting);
      this.#post({ kind: 'demand', key });
    }
    const waiter = (): void => {
      this.#reactor.cancelTimer(timer);
      use();
    };
    const timer = new Timer(() => {
      waiting.delete(waiter);
      // Nobody waits any more: the next connection asks anew instead of waiting for an answer that may never come.
      if (waiting.size === 0 && this.#demands.get(key) === waiting) this.#demands.delete(key);
      use(); // unknown: it goes on as an address outside the mesh
    });
    waiting.add(waiter);
    this.#reactor.setTimer(timer, DEMAND_WAIT_MS);
  }

  onDemanded(key: string): void {
    const waiting = this.#demands.get(key);
    this.#demands.delete(key);
    const goOn = (waiter: () => void): void => {
      waiter();
    };
    callEach(waiting ?? [], goOn, this.#onFault);
  }
}
