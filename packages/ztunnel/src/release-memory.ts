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

function collectAll(): void {
  globalThis.gc?.({ type: 'major', execution: 'sync', flavor: 'last-resort' });
  trimHeaps();
}
