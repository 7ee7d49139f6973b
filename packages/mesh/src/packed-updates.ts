import { familyFields, StoredWorkload } from './stored-workload.ts';
import type { WorkloadFamily } from './stored-workload.ts';
import type { Locality, MeshUpdate } from './types.ts';

/** A workload whose repeating fields are numbers: of terms, and of a family. */
export type PackedWorkload = readonly [
  uid: string,
  name: string,
  addresses: readonly string[],
  node: number,
  locality: number,
  family: number,
];

/** Updates on their way to a replica in another thread; survives a structured clone. */
export interface PackedUpdates {
  /** What was said before about terms and families holds no more. */
  readonly fresh: boolean;
  /** Terms that this and later messages name by number: they follow those of earlier messages. */
  readonly terms: readonly unknown[];
  /** Families, numbered likewise: the number of the term of each field, in the order of `familyFields`. */
  readonly families: readonly (readonly number[])[];
  readonly entries: readonly (MeshUpdate | PackedWorkload)[];
}

/** Above this many terms the numbering starts afresh, so that a churn of names cannot grow it for ever. */
const termLimit = 1 << 15;

/**
 * Packs updates for replicas that get all of them in order. Of a fleet's workloads nearly everything but uid, name and address
 * repeats: it travels once, and is a number from then on. So a replica neither parses nor copies it again for each workload,
 * and has one object for all of equal values.
 */
export class UpdatePacker {
  readonly #terms = new Numbering<unknown>();
  readonly #families = new Numbering<WorkloadFamily>();
  #fresh = true;

  /** The next message stands on nothing that was said before: somebody new listens. */
  restart(): void {
    this.#terms.clear();
    this.#families.clear();
    this.#fresh = true;
  }

  /** @param stored the same workload as a store has it: what is equal is the same object */
  pack(updates: readonly MeshUpdate[], stored: (uid: string) => StoredWorkload | undefined): PackedUpdates {
    if (this.#terms.size >= termLimit) this.restart();
    const entries = updates.map((update) => {
      if (update.kind !== 'workload') return update;
      const workload = stored(update.workload.uid);
      // Removed by a later update: what it was matters to nobody for long.
      return workload === undefined ? update : this.#packWorkload(workload);
    });
    const families = this.#families
      .takeNew()
      .map((family) => familyFields.map((field) => this.#terms.numberOf(family[field])));
    const packed = { fresh: this.#fresh, terms: this.#terms.takeNew(), families, entries };
    this.#fresh = false;
    return packed;
  }

  #packWorkload({ uid, name, addresses, node, locality, family }: StoredWorkload): PackedWorkload {
    const [where, place] = [this.#terms.numberOf(node), this.#terms.numberOf(locality)];
    return [uid, name, addresses, where, place, this.#families.numberOf(family)];
  }
}

/** Numbers for values in the order in which they come, by identity. */
class Numbering<T> {
  readonly #numbers = new Map<T, number>();
  #new: T[] = [];

  get size(): number {
    return this.#numbers.size;
  }

  numberOf(value: T): number {
    const known = this.#numbers.get(value);
    if (known !== undefined) return known;
    const number = this.#numbers.size;
    this.#numbers.set(value, number);
    this.#new.push(value);
    return number;
  }

  /** Those that have been numbered since the last time. */
  takeNew(): readonly T[] {
    const fresh = this.#new;
    this.#new = [];
    return fresh;
  }

  clear(): void {
    this.#numbers.clear();
    this.#new = [];
  }
}

/** The other end of one {@link UpdatePacker}. Its workloads have their repeating values shared. */
export class UpdateUnpacker {
  #terms: unknown[] = [];
  #families: WorkloadFamily[] = [];

  unpack({ fresh, terms, families, entries }: PackedUpdates): MeshUpdate[] {
    if (fresh) {
      this.#terms = [];
      this.#families = [];
    }
    for (const term of terms) this.#terms.push(trimmed(term));
    for (const family of families) this.#families.push(this.#unpackFamily(family));
    return entries.map((entry) =>
      isPackedWorkload(entry) ? { kind: 'workload', workload: this.#unpackWorkload(entry) } : entry,
    );
  }

  #unpackFamily(numbers: readonly number[]): WorkloadFamily {
    const terms = this.#terms;
    return Object.fromEntries(
      familyFields.map((field, index) => [field, terms[numbers[index]!]]),
    ) as unknown as WorkloadFamily;
  }

  #unpackWorkload([uid, name, addresses, node, locality, family]: PackedWorkload): StoredWorkload {
    return new StoredWorkload(
      {
        uid,
        name,
        addresses,
        node: this.#terms[node] as string,
        locality: this.#terms[locality] as Locality,
      },
      this.#families[family]!,
    );
  }
}

/** Terms are plain data; parsed again, they take no more room than they need. */
function trimmed(term: unknown): unknown {
  return typeof term === 'object' ? (JSON.parse(JSON.stringify(term)) as unknown) : term;
}

function isPackedWorkload(entry: MeshUpdate | PackedWorkload): entry is PackedWorkload {
  return Array.isArray(entry);
}
