/**
 * The descriptors that a thread has open, in memory that outlives it: a thread that is ended from outside, as one is whose heap
 * is full, runs no more code of its own, and its sockets would stay.
 *
 * A byte for each number: to set one is one store, and pages that nobody has touched take no memory.
 */
export class DescriptorLedger {
  /** Handed to the thread as it starts. */
  readonly shared: SharedArrayBuffer;
  readonly #open: Uint8Array;

  /** @param shared of another thread's ledger; a new one if absent */
  constructor(shared = new SharedArrayBuffer(LARGEST)) {
    this.shared = shared;
    this.#open = new Uint8Array(shared);
  }

  opened(fd: number): void {
    this.#open[fd] = 1;
  }

  /** To be called before the descriptor is closed: its number may be another thread's at once. */
  closing(fd: number): void {
    this.#open[fd] = 0;
  }

  /** Takes all out that are in it. To be called when its thread has ended. */
  takeAll(): number[] {
    const taken: number[] = [];
    for (let fd = this.#open.indexOf(1); fd !== -1; fd = this.#open.indexOf(1, fd + 1)) taken.push(fd);
    this.#open.fill(0, 0, (taken.at(-1) ?? -1) + 1);
    return taken;
  }
}

/** Linux gives no process more by default (fs.nr_open); what is above is not noted. */
const LARGEST = 1 << 20;
