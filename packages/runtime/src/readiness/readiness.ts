/** Named reasons why a process is not ready yet; it is ready when none is left. */
export class Readiness {
  readonly #blockers = new Map<string, number>();
  readonly #onChange: (ready: boolean) => void;

  /** @param onChange called when the process becomes ready and when it ceases to be */
  constructor(onChange: (ready: boolean) => void = () => {}) {
    this.#onChange = onChange;
  }

  /**
   * Adds a reason. The same name may be added by several parts; it stays until each has removed its own.
   *
   * @returns the reason's owner; disposing it, once or more often, removes the reason
   */
  block(name: string): Disposable {
    const wasReady = this.ready;
    this.#blockers.set(name, (this.#blockers.get(name) ?? 0) + 1);
    if (wasReady) this.#onChange(false);
    let held = true;
    return {
      [Symbol.dispose]: () => {
        if (!held) return;
        held = false;
        const left = (this.#blockers.get(name) ?? 1) - 1;
        if (left > 0) this.#blockers.set(name, left);
        else this.#blockers.delete(name);
        if (this.ready) this.#onChange(true);
      },
    };
  }

  get ready(): boolean {
    return this.#blockers.size === 0;
  }

  /** Names of what is awaited, oldest first. */
  get pending(): readonly string[] {
    return [...this.#blockers.keys()];
  }

  /** `ready`, or `not ready, pending: proxy, state manager`, in the order of the alphabet, as Istio's ztunnel answers. */
  describe(): string {
    return this.ready ? 'ready' : `not ready, pending: ${this.pending.toSorted().join(', ')}`;
  }
}
