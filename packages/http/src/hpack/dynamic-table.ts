import type { Field } from './static-table.ts';

/**
 * The dynamic table of RFC 7541, section 2.3.2: first in, first out, bounded by the sum of the sizes of its entries.
 *
 * A ring, grown as entries come, so that a connection which indexes nothing holds nothing.
 */
export class DynamicTable {
  #ring: (Field | undefined)[] = [];
  #newest = -1;
  #length = 0;
  #size = 0;
  #maxSize: number;
  #inserted = 0;

  constructor(maxSize: number) {
    this.#maxSize = maxSize;
  }

  /** Entries held. */
  get length(): number {
    return this.#length;
  }

  /** Bytes counted, at most {@link maxSize}. */
  get size(): number {
    return this.#size;
  }

  get maxSize(): number {
    return this.#maxSize;
  }

  /** Entries ever added; an entry's own count at its adding names it for good. */
  get inserted(): number {
    return this.#inserted;
  }

  /** The entry added `age` entries before the newest (0 is the newest), if there is one. */
  get(age: number): Field | undefined {
    if (age >= this.#length) return undefined;
    let position = this.#newest - age;
    if (position < 0) position += this.#ring.length;
    return this.#ring[position];
  }

  /** Whether the table must lose its oldest entry before one of `size` bytes can be added to it. */
  mustEvictFor(size: number): boolean {
    return this.#length > 0 && this.#size + size > this.#maxSize;
  }

  /** Takes out and returns the oldest entry; the table must not be empty. */
  evictOldest(): Field {
    let position = this.#newest - (this.#length - 1);
    if (position < 0) position += this.#ring.length;
    const field = this.#ring[position]!;
    this.#ring[position] = undefined;
    this.#length--;
    this.#size -= field.size;
    return field;
  }

  /** Adds an entry, evicting what is in its way; one larger than the table just empties it (section 4.4). */
  add(field: Field): void {
    while (this.mustEvictFor(field.size)) this.evictOldest();
    if (field.size > this.#maxSize) return;
    if (this.#length === this.#ring.length) this.#grow();
    this.#newest = this.#newest + 1 === this.#ring.length ? 0 : this.#newest + 1;
    this.#ring[this.#newest] = field;
    this.#length++;
    this.#size += field.size;
    this.#inserted++;
  }

  /** Changes the bound; the caller evicts first if it must know of evictions. */
  resize(maxSize: number): void {
    this.#maxSize = maxSize;
    while (this.mustEvictFor(0)) this.evictOldest();
  }

  #grow(): void {
    const grown: (Field | undefined)[] = [];
    for (let age = this.#length - 1; age >= 0; age--) grown.push(this.get(age));
    this.#newest = grown.length - 1;
    const capacity = Math.max(8, grown.length * 2);
    while (grown.length < capacity) grown.push(undefined);
    this.#ring = grown;
  }
}
