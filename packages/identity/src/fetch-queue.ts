/**
 * How urgent a certificate is: a connection waits for it; a workload of this node will need it; a valid one gets old.
 */
export type FetchPriority = 'connection' | 'prefetch' | 'renewal';

const order: readonly FetchPriority[] = ['connection', 'prefetch', 'renewal'];

interface Task {
  readonly key: string;
  readonly run: () => Promise<void>;
}

/** Runs a bounded number of tasks at a time, the most urgent first, then in their order. */
export class FetchQueue {
  readonly #limit: number;
  readonly #waiting: Record<FetchPriority, Map<string, Task>> = {
    connection: new Map(),
    prefetch: new Map(),
    renewal: new Map(),
  };
  #running = 0;

  /** @param limit tasks at a time, 1 or more */
  constructor(limit: number) {
    this.#limit = limit;
  }

  /** @param run must not reject */
  add(key: string, priority: FetchPriority, run: () => Promise<void>): void {
    this.#waiting[priority].set(key, { key, run });
    this.#startNext();
  }

  /** Makes a waiting task more urgent; never less, and nothing if it runs already. */
  promote(key: string, priority: FetchPriority): void {
    for (const lower of order.slice(order.indexOf(priority) + 1)) {
      const task = this.#waiting[lower].get(key);
      if (task === undefined) continue;
      this.#waiting[lower].delete(key);
      this.#waiting[priority].set(key, task);
    }
  }

  /** Forgets a waiting task; one that runs goes on. */
  remove(key: string): void {
    for (const priority of order) this.#waiting[priority].delete(key);
  }

  #startNext(): void {
    while (this.#running < this.#limit) {
      const task = this.#takeNext();
      if (task === undefined) return;
      this.#running += 1;
      void task.run().finally(() => {
        this.#running -= 1;
        this.#startNext();
      });
    }
  }

  #takeNext(): Task | undefined {
    for (const priority of order)
      for (const task of this.#waiting[priority].values()) {
        this.#waiting[priority].delete(task.key);
        return task;
      }
    return undefined;
  }
}
