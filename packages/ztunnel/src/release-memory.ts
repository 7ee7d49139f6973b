import { trimHeaps } from '@ambient/linux';
import type { Clock } from '@ambient/runtime';

/**
 * After this there is time: connections have been waiting for the mesh, and ask for certificates first. And in a large mesh
 * something has changed by then: the gRPC library holds the pieces of a message until the next one comes. Milliseconds.
 */
const delayMs = 10_000;

/**
 * Gives memory back after the first mesh has come. Reading it leaves more garbage than it leaves mesh: 90 MB of 50,000 workloads.
 * V8 takes that as the size that the heap should have, and would collect it when as much has been made again, which in a
 * quiet main thread is never; the C library keeps what messages to the workers took. It takes 0.1 s of the main thread,
 * then; connections are the workers'.
 */
export class MemoryRelease implements Disposable {
  readonly #clock: Clock;
  readonly #collect: () => void;
  #timer: Disposable | undefined;

  /** @param collect collects everything, and shrinks the heap; without `--expose-gc` (`main.ts`) nothing does */
  constructor(clock: Clock, collect = collectAll) {
    this.#clock = clock;
    this.#collect = collect;
  }

  /** To be called when the first mesh is complete. */
  soon(): void {
    this.#timer ??= this.#clock.setTimer(delayMs, this.#collect);
  }

  [Symbol.dispose](): void {
    this.#timer?.[Symbol.dispose]();
  }
}

/** A smaller mesh leaves less garbage than a data worker makes of itself in a second. */
const largeMeshWorkloads = 5000;

/**
 * The same for a data worker, which has read the first mesh and is about to accept: later it would stop connections for the
 * time of a collection, 25 ms with 50,000 workloads, of which it frees 8 MB.
 *
 * @param workloads how many the worker's replica has
 */
export function releaseAfterReading(workloads: number, collect = collectHeap): void {
  if (workloads >= largeMeshWorkloads) collect();
}

function collectAll(): void {
  collectHeap();
  trimHeaps();
}

function collectHeap(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
}
