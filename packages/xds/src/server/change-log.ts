/** One resource that changed, or went, in one generation of a table. */
export interface Change {
  readonly generation: number;
  readonly name: string;
  readonly removed: boolean;
  /** Unix time in milliseconds. */
  readonly atMs: number;
}

/**
 * What changed lately, in order. A client that holds the state of generation g is brought up to date by what came after g; the
 * log keeps only what some client still lacks.
 */
export class ChangeLog {
  #changes: Change[] = [];
  /** Index of the oldest change that is kept: the ones before it are cut off now and then, not each time. */
  #start = 0;
  #complete = 0;

  /** Changes after this generation are all here; the log cannot serve who is older. */
  get completeSince(): number {
    return this.#complete;
  }

  get length(): number {
    return this.#changes.length - this.#start;
  }

  append(change: Change): void {
    this.#changes.push(change);
  }

  /** Changes after this generation, oldest first. */
  *since(generation: number): Generator<Change> {
    for (let at = this.#firstAfter(generation); at < this.#changes.length; at++) yield this.#changes[at]!;
  }

  /** How many changes came after this generation. */
  countSince(generation: number): number {
    return this.#changes.length - this.#firstAfter(generation);
  }

  /** Forgets the changes up to and including this generation. */
  trim(generation: number): void {
    if (generation <= this.#complete) return;
    this.#start = this.#firstAfter(generation);
    this.#complete = generation;
    if (this.#start > 1024 && this.#start * 2 > this.#changes.length) {
      this.#changes = this.#changes.slice(this.#start);
      this.#start = 0;
    }
  }

  /** Forgets the oldest generations until at most so many changes are left. */
  limit(most: number): void {
    if (this.length > most) this.trim(this.#changes[this.#changes.length - most - 1]!.generation);
  }

  #firstAfter(generation: number): number {
    let low = this.#start;
    let high = this.#changes.length;
    while (low < high) {
      const middle = (low + high) >> 1;
      if (this.#changes[middle]!.generation <= generation) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
