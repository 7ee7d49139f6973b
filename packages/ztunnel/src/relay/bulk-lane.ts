import type { Carrier } from '@ambient/hbone';
import { LightTraffic } from '@ambient/hbone';
import type { Reactor, TurnTask } from '@ambient/linux';

/** Bytes that bulk streams may move in one turn where they are alone: a write of a connection is full, or almost. */
const TURN_BUDGET_BYTES = 224 * 1024;
/** The same while there is light traffic as well, which waits for the turn to end. */
const LIGHT_BUDGET_BYTES = 96 * 1024;
/** The same while other pods have something to do as well: to read, encrypt and send this takes about a share of time. */
const COMPANY_BUDGET_BYTES = 64 * 1024;

/** A stream that has more to send than its share of a turn. */
export interface BulkSource {
  /** Moves one share. @returns bytes moved */
  moveShare(): number;
  onFault(error: unknown): void;
}

/**
 * The slow lane of a worker: streams that fill their share take turns here, behind everything that became ready
 * meanwhile, so that a small request waits for one share of one bulk stream and not for all of them.
 */
export class BulkLane implements TurnTask {
  readonly #reactor: Reactor;
  #queue: BulkSource[] = [];
  #scheduled = false;
  #current: BulkSource | undefined;
  readonly #light = new LightTraffic();

  constructor(reactor: Reactor) {
    this.#reactor = reactor;
  }

  /** An application's bytes have gone into its tunnel. */
  onSent(carrier: Carrier, bytes: number): void {
    this.#light.onBytes(carrier, bytes, this.#reactor.nowMs);
  }

  /** Bytes that one stream, and all bulk together, may move before others get their turn. */
  get shareBytes(): number {
    if (this.#reactor.inCompany) return COMPANY_BUDGET_BYTES;
    return this.#light.isPresent(this.#reactor.nowMs) ? LIGHT_BUDGET_BYTES : TURN_BUDGET_BYTES;
  }

  /** Queues a source once; it asks again when it still has more. */
  add(source: BulkSource): void {
    this.#queue.push(source);
    this.#schedule();
  }

  #schedule(): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    this.#reactor.inNextTurn(this);
  }

  run(): void {
    this.#scheduled = false;
    let budget = this.shareBytes;
    let served = 0;
    // Those who queue again meanwhile have had their turn.
    for (const last = this.#queue.length; served < last && budget > 0; served++) {
      this.#current = this.#queue[served]!;
      budget -= this.#current.moveShare();
    }
    this.#current = undefined;
    this.#queue = this.#queue.slice(served);
    if (this.#queue.length > 0) this.#schedule();
  }

  onFault(error: unknown): void {
    const culprit = this.#current;
    this.#current = undefined;
    this.#queue = this.#queue.filter((source) => source !== culprit);
    if (this.#queue.length > 0) this.#schedule();
    culprit?.onFault(error);
  }
}

const lanes = new WeakMap<Reactor, BulkLane>();

/** The lane of a reactor. */
export function bulkLaneOf(reactor: Reactor): BulkLane {
  let lane = lanes.get(reactor);
  if (lane === undefined) {
    lane = new BulkLane(reactor);
    lanes.set(reactor, lane);
  }
  return lane;
}
