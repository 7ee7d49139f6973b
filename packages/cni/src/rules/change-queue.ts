interface Waiting<T> {
  readonly change: T;
  readonly done: () => void;
  readonly failed: (error: unknown) => void;
}

/** Changes that come while others are being made wait, and are then made together: one process for many pods. */
export class ChangeQueue<T> {
  readonly #make: (changes: readonly T[]) => Promise<void>;
  #waiting: Waiting<T>[] = [];
  #running = false;

  /** @param make all of them or none, in their order */
  constructor(make: (changes: readonly T[]) => Promise<void>) {
    this.#make = make;
  }

  /** Resolves when the change is made. @throws what `make` throws for this change alone */
  push(change: T): Promise<void> {
    return new Promise((done, failed) => {
      this.#waiting.push({ change, done, failed });
      if (!this.#running) void this.#run();
    });
  }

  async #run(): Promise<void> {
    this.#running = true;
    // Those of the same moment go together.
    await Promise.resolve();
    while (this.#waiting.length > 0) {
      const batch = this.#waiting;
      this.#waiting = [];
      try {
        await this.#make(batch.map(({ change }) => change));
        for (const { done } of batch) done();
      } catch (error) {
        if (batch.length === 1) batch[0]!.failed(error);
        // One that cannot be made must not take the others with it.
        else for (const each of batch) await this.#alone(each);
      }
    }
    this.#running = false;
  }

  async #alone({ change, done, failed }: Waiting<T>): Promise<void> {
    try {
      await this.#make([change]);
      done();
    } catch (error) {
      failed(error);
    }
  }
}
