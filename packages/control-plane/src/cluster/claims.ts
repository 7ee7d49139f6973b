import type { DerivedResource } from './derivation.ts';

/** Who claims a resource name, as far as it decides between rivals. */
export interface Claimant {
  /** creationTimestamp of the source object, '' if it has none. */
  readonly created: string;
  /** `namespace/name` of the source object. */
  readonly key: string;
  readonly derivation: { readonly name: string };
}

/** One resource that a claimant holds, or would hold if it won. */
export interface Claim {
  readonly claimant: Claimant;
  readonly resource: DerivedResource;
}

/** The changes of one table since the last batch. */
export interface TableBatch {
  readonly upserts: DerivedResource[];
  readonly removals: string[];
}

export type Batch = ReadonlyMap<string, TableBatch>;

interface Table {
  /** A list, best first, where there is more than one. */
  readonly claims: Map<string, Claim | Claim[]>;
  /** What was served under the names that were touched since the last batch. */
  readonly touched: Map<string, DerivedResource | undefined>;
}

/**
 * Which resource is served under each name. Claims on the same name are ranked the same way in whatever order they came; a
 * loser is kept, and served when the winner goes.
 */
export class Claims {
  readonly #tables = new Map<string, Table>();

  /** Names served in a table. */
  size(table: string): number {
    return this.#tables.get(table)?.claims.size ?? 0;
  }

  /** What is served under a name. */
  winner(table: string, name: string): DerivedResource | undefined {
    return first(this.#tables.get(table)?.claims.get(name))?.resource;
  }

  /** All who claim a name, the one that is served first. */
  rivals(table: string, name: string): readonly Claim[] {
    const held = this.#tables.get(table)?.claims.get(name);
    if (held === undefined) return [];
    return Array.isArray(held) ? held : [held];
  }

  /** Everything that is served in a table. */
  *winners(table: string): IterableIterator<DerivedResource> {
    for (const held of this.#tables.get(table)?.claims.values() ?? []) yield first(held)!.resource;
  }

  add(claim: Claim): void {
    const { table: tableName, name } = claim.resource;
    const table = this.#table(tableName);
    const held = table.claims.get(name);
    touch(table, name, first(held)?.resource);
    if (held === undefined) {
      table.claims.set(name, claim);
      return;
    }
    const rivals = Array.isArray(held) ? held : [held];
    rivals.push(claim);
    rivals.sort(compareClaims);
    table.claims.set(name, rivals);
  }

  remove(claim: Claim): void {
    const { table: tableName, name } = claim.resource;
    const table = this.#table(tableName);
    const held = table.claims.get(name);
    if (held === undefined) return;
    touch(table, name, first(held)?.resource);
    if (!Array.isArray(held)) {
      if (held === claim) table.claims.delete(name);
      return;
    }
    const rest = held.filter((other) => other !== claim);
    if (rest.length > 1) table.claims.set(name, rest);
    else table.claims.set(name, rest[0]!);
  }

  /** What differs from the last batch; undefined if nothing does. Forgets it. */
  takeBatch(): Batch | undefined {
    let batch: Map<string, TableBatch> | undefined;
    for (const [tableName, table] of this.#tables) {
      const upserts: DerivedResource[] = [];
      const removals: string[] = [];
      for (const [name, before] of table.touched) {
        const now = first(table.claims.get(name))?.resource;
        if (now === undefined) {
          if (before !== undefined) removals.push(name);
        } else if (before === undefined || !sameServed(before, now)) upserts.push(now);
      }
      table.touched.clear();
      if (upserts.length + removals.length > 0) (batch ??= new Map()).set(tableName, { upserts, removals });
    }
    return batch;
  }

  #table(name: string): Table {
    let table = this.#tables.get(name);
    if (table === undefined) this.#tables.set(name, (table = { claims: new Map(), touched: new Map() }));
    return table;
  }
}

/** Whether a proxy could tell one from the other. */
export function sameServed(a: DerivedResource, b: DerivedResource): boolean {
  return (
    a === b ||
    (Buffer.compare(a.bytes, b.bytes) === 0 &&
      a.node === b.node &&
      sameTexts(a.aliases, b.aliases) &&
      sameTexts(a.serviceKeys, b.serviceKeys))
  );
}

function sameTexts(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((text, i) => text === b[i]);
}

function touch(table: Table, name: string, served: DerivedResource | undefined): void {
  if (!table.touched.has(name)) table.touched.set(name, served);
}

function first(held: Claim | Claim[] | undefined): Claim | undefined {
  return Array.isArray(held) ? held[0] : held;
}

/** Best first: by priority, then age, then name, then the derivation's name. */
function compareClaims(a: Claim, b: Claim): number {
  const byPriority = (b.resource.priority ?? 0) - (a.resource.priority ?? 0);
  if (byPriority !== 0) return byPriority;
  return (
    compareTexts(a.claimant.created, b.claimant.created) ||
    compareTexts(a.claimant.key, b.claimant.key) ||
    compareTexts(a.claimant.derivation.name, b.claimant.derivation.name)
  );
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
