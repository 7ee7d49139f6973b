import type { Clock } from '@ambient/runtime';

export interface KeyedWorkOptions {
  /** Keys that are worked on at a time. */
  readonly concurrency: number;
  readonly clock: Clock;
  /** Brings one key to where it should be; called again when it was touched meanwhile. */
  readonly work: (key: string) => Promise<void>;
  /** `work` threw, which it should not. */
  readonly onFault: (key: string, error: unknown) => void;
}

interface Lane {
  running: boolean;
  touched: boolean;
  readonly tasks: (() => Promise<void>)[];
}

/**
 * Work on many keys, a few at a time, and never two pieces of it on the same key: what the plugin, the API server and a
 * repair want of one pod happens one after the other, and what was wanted twice is done once.
 */
export class KeyedWork {
  readonly #options: KeyedWorkOptions;
  readonly #lanes = new Map<string, Lane>();
  readonly #urgent = new Set<string>();
  readonly #waiting = new Set<string>();
  readonly #later = new Map<string, Disposable>();
  #active = 0;
  #stopped = false;
  #idle: (() => void) | undefined;

  constructor(options: KeyedWorkOptions) {
    this.#options = options;
  }

  /** Has the key worked on soon, once more if that is going on. */
  touch(key: string): void {
    if (this.#stopped) return;
    this.#cancel(key);
    this.#lane(key).touched = true;
    this.#queue(key);
  }

  /** Has the key worked on after a time, if nothing touches it before. */
  touchLater(key: string, delayMs: number): void {
    if (this.#stopped) return;
    this.#cancel(key);
    this.#later.set(
      key,
      this.#options.clock.setTimer(delayMs, () => this.touch(key)),
    );
  }

  /** Runs a task while nothing else works on the key, before what only was touched. @throws what the task throws */
  exclusive<T>(key: string, task: () => Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      if (this.#stopped) return reject(new Error('the agent is stopping'));
      this.#lane(key).tasks.push(() => task().then(resolve, reject));
      this.#queue(key);
    });
  }

  /** Takes on nothing new, and resolves when what runs has ended. Tasks that wait still get their turn. */
  async stop(): Promise<void> {
    this.#stopped = true;
    for (const timer of this.#later.values()) timer[Symbol.dispose]();
    this.#later.clear();
    for (const lane of this.#lanes.values()) lane.touched = false;
    if (this.#active > 0) await new Promise<void>((resolve) => (this.#idle = resolve));
  }

  #lane(key: string): Lane {
    let lane = this.#lanes.get(key);
    if (lane === undefined) this.#lanes.set(key, (lane = { running: false, touched: false, tasks: [] }));
    return lane;
  }

  #cancel(key: string): void {
    this.#later.get(key)?.[Symbol.dispose]();
    this.#later.delete(key);
  }

  #queue(key: string): void {
    const lane = this.#lane(key);
    if (lane.running) return;
    if (lane.tasks.length > 0) {
      this.#waiting.delete(key);
      this.#urgent.add(key);
    } else if (!this.#urgent.has(key)) this.#waiting.add(key);
    this.#pump();
  }

  #pump(): void {
    while (this.#active < this.#options.concurrency) {
      const queue = this.#urgent.size > 0 ? this.#urgent : this.#waiting;
      const [key] = queue;
      if (key === undefined) break;
      queue.delete(key);
      void this.#run(key);
    }
    if (this.#active === 0) this.#idle?.();
  }

  async #run(key: string): Promise<void> {
    const lane = this.#lane(key);
    lane.running = true;
    this.#active++;
    const task = lane.tasks.shift();
    try {
      if (task !== undefined) await task();
      else if (lane.touched) {
        lane.touched = false;
        await this.#options.work(key);
      }
    } catch (error) {
      this.#options.onFault(key, error);
    }
    lane.running = false;
    this.#active--;
    if (lane.tasks.length > 0 || lane.touched) this.#queue(key);
    else this.#lanes.delete(key);
    this.#pump();
  }
}
