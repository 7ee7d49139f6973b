/** From a key to the values that have it. Most keys have one value, which then costs no set. */
export class KeyIndex<T extends object> {
  readonly #values = new Map<string, T | Set<T>>();

  get size(): number {
    return this.#values.size;
  }

  add(key: string, value: T): void {
    const held = this.#values.get(key);
    if (held === undefined) this.#values.set(key, value);
    else if (held instanceof Set) held.add(value);
    else if (held !== value) this.#values.set(key, new Set([held, value]));
  }

  delete(key: string, value: T): void {
    const held = this.#values.get(key);
    if (held === value) this.#values.delete(key);
    else if (held instanceof Set && held.delete(value) && held.size === 0) this.#values.delete(key);
  }

  get(key: string): Iterable<T> {
    const held = this.#values.get(key);
    if (held === undefined) return [];
    return held instanceof Set ? (held as ReadonlySet<T>) : [held];
  }

  has(key: string): boolean {
    return this.#values.has(key);
  }
}
