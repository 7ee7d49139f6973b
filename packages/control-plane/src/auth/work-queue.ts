/** The queue is full. */
export class QueueFullError extends Error {
  override readonly name = 'QueueFullError';
  readonly code = 'queue-full';
  constructor(waiting: number) {
    super(
      `${waiting} questions are waiting already. Check the load of the API server and the number of clients.`,
    );
  }
}

/** Runs work with bounded concurrency, first come first served, so that a storm of callers is no storm on the API server. */
export class WorkQueue {
  readonly #maxRunning: number;
  readonly #maxWaiting: number;
  readonly #waiting: (() => void)[] = [];
  #running = 0;

  constructor(maxRunning: number, maxWaiting: number) {
    this.#maxRunning = maxRunning;
    this.#maxWaiting = maxWaiting;
  }

  /** @throws QueueFullError; and whatever the work rejects with */
  async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#running < this.#maxRunning) this.#running += 1;
    else {
      if (this.#waiting.length >= this.#maxWaiting) throw new QueueFullError(this.#waiting.length);
      // Whoever ends hands over its turn, so the count stays.
      await new Promise<void>((turn) => this.#waiting.push(turn));
    }
    try {
      return await work();
    } finally {
      const next = this.#waiting.shift();
      if (next === undefined) this.#running -= 1;
      else next();
    }
  }
}
