import type { KubeObject } from './objects.ts';
import { Reflector } from './reflector.ts';
import type { ReflectorOptions } from './reflector.ts';

/** Several reflectors as one: started, synced and stopped together. */
export class ReflectorGroup {
  readonly #reflectors: { start(): void; stop(): Promise<void> }[] = [];
  readonly #synced = Promise.withResolvers<void>();
  #listing = 0;

  /** Adds one, before the start. */
  add<T extends KubeObject>(options: Omit<ReflectorOptions<T>, 'onSynced'>): Reflector<T> {
    this.#listing += 1;
    const reflector = new Reflector<T>({
      ...options,
      onSynced: () => {
        this.#listing -= 1;
        if (this.#listing === 0) this.#synced.resolve();
      },
    });
    this.#reflectors.push(reflector);
    return reflector;
  }

  /** Settles when the first lists of all are complete; reflectors try until the API answers. */
  get synced(): Promise<void> {
    return this.#synced.promise;
  }

  start(): void {
    for (const reflector of this.#reflectors) reflector.start();
  }

  /** Resolves when nothing runs any more. */
  async stop(): Promise<void> {
    await Promise.all(this.#reflectors.map((reflector) => reflector.stop()));
  }
}
