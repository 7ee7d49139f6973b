import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import { ChangeLog } from './change-log.ts';
import type { Change } from './change-log.ts';
import { KeyIndex } from './key-index.ts';
import { contentVersion, resourceField } from './wire-encoding.ts';

/** One resource, ready to be sent. The table keeps the arrays: they are not to be changed afterwards. */
export interface ServedResource {
  /** What clients call it on the wire: uid, `namespace/hostname`, `namespace/policy`. */
  readonly name: string;
  /** Equal versions mean equal content; '' means none, so that it is sent again after each reconnect. Absent: made of the content. */
  readonly version?: string;
  /** The encoded message, as it stands inside Any. */
  readonly bytes: Uint8Array;
  /** Other keys under which clients ask for it: `network/ip`, `network/ip/length`. */
  readonly aliases?: readonly string[];
  /** Node that the workload runs on: clients of that node get it unasked. */
  readonly node?: string;
  /** Names of the services that the workload belongs to: who asks for one of them gets the workload too. */
  readonly serviceKeys?: readonly string[];
}

/** A resource as the table holds it. Each change makes a new entry. */
export class TableEntry {
  readonly resource: ServedResource;
  readonly version: string;
  /** Generation of the table in which it got this content. */
  readonly generation: number;
  readonly #typeUrl: string;
  #field: Uint8Array | undefined;

  constructor(typeUrl: string, resource: ServedResource, version: string, generation: number) {
    this.#typeUrl = typeUrl;
    this.resource = resource;
    this.version = version;
    this.generation = generation;
  }

  get name(): string {
    return this.resource.name;
  }

  /** Whether `field` costs nothing any more. */
  get isEncoded(): boolean {
    return this.#field !== undefined;
  }

  /** As a field of a response to clients that get everything; encoded once. */
  field(): Uint8Array {
    return (this.#field ??= resourceField(this.#typeUrl, this.resource, this.version, false));
  }

  /** As a field of a response to clients that ask by name. */
  fieldWithAliases(): Uint8Array {
    if (this.resource.aliases === undefined || this.resource.aliases.length === 0) return this.field();
    return resourceField(this.#typeUrl, this.resource, this.version, true);
  }
}

/** What one `apply` did. */
export interface ChangeSet {
  readonly typeUrl: string;
  readonly generation: number;
  readonly upserted: number;
  readonly removed: number;
}

/** The newest state of each resource that changed since some generation. */
export interface Difference {
  readonly upserts: readonly TableEntry[];
  readonly removals: readonly string[];
  /** When the oldest of these changes was applied, Unix time in milliseconds; undefined if there is none. */
  readonly sinceMs: number | undefined;
}

export interface ResourceTableOptions {
  readonly clock?: Clock;
  /** Changes that are kept for slow clients, at least; a client that lacks more has to reconnect. 100,000 if absent. */
  readonly maxLoggedChanges?: number;
}

/**
 * The resources of one type that a control plane serves, and what changed lately. Its generation counts up with each `apply`
 * that changes something, so that what a client of everything holds is one number.
 */
export class ResourceTable {
  readonly typeUrl: string;
  readonly #clock: Clock;
  readonly #maxLogged: number;
  readonly #entries = new Map<string, TableEntry>();
  readonly #byAlias = new KeyIndex<TableEntry>();
  readonly #byNode = new KeyIndex<TableEntry>();
  readonly #byService = new KeyIndex<TableEntry>();
  readonly #log = new ChangeLog();
  readonly #listeners = new Set<(changes: ChangeSet) => void>();
  #generation = 0;
  #lastUpsert = 0;
  #lastRemoval = 0;

  constructor(typeUrl: string, options: ResourceTableOptions = {}) {
    this.typeUrl = typeUrl;
    this.#clock = options.clock ?? realClock;
    this.#maxLogged = options.maxLoggedChanges ?? 100_000;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Counts the changes; 0 while nothing was ever applied. */
  get generation(): number {
    return this.#generation;
  }

  /** Generation of the last upsert. */
  get lastUpsert(): number {
    return this.#lastUpsert;
  }

  /** Generation of the last removal. */
  get lastRemoval(): number {
    return this.#lastRemoval;
  }

  /** Oldest generation from which `changesSince` can still tell the difference. */
  get completeSince(): number {
    return this.#log.completeSince;
  }

  /**
   * Puts and removes resources, in this order, and tells the listeners once, unless nothing changed: an upsert with the version
   * (or, without versions, the content) that is held changes nothing, nor does the removal of an unknown name.
   */
  apply(upserts: Iterable<ServedResource>, removals: Iterable<string>): ChangeSet {
    const generation = this.#generation + 1;
    const atMs = this.#clock.nowMs();
    let upserted = 0;
    let removed = 0;
    for (const resource of upserts) {
      const version = resource.version ?? contentVersion(resource.bytes);
      const held = this.#entries.get(resource.name);
      if (held !== undefined) {
        if (isSame(held, resource, version)) continue;
        this.#unindex(held);
      }
      const entry = new TableEntry(this.typeUrl, resource, version, generation);
      this.#entries.set(resource.name, entry);
      this.#index(entry);
      // The same name twice in one call is one change.
      if (held?.generation === generation) continue;
      this.#log.append({ generation, name: resource.name, removed: false, atMs });
      upserted++;
    }
    for (const name of removals) {
      const held = this.#entries.get(name);
      if (held === undefined) continue;
      this.#entries.delete(name);
      this.#unindex(held);
      this.#log.append({ generation, name, removed: true, atMs });
      removed++;
    }
    if (upserted > 0) this.#lastUpsert = generation;
    if (removed > 0) this.#lastRemoval = generation;
    const changes = { typeUrl: this.typeUrl, generation, upserted, removed };
    if (upserted + removed === 0) return { ...changes, generation: this.#generation };
    this.#generation = generation;
    this.#log.limit(Math.max(this.#maxLogged, 2 * this.#entries.size));
    for (const listener of [...this.#listeners]) listener(changes);
    return changes;
  }

  get(name: string): TableEntry | undefined {
    return this.#entries.get(name);
  }

  entries(): Iterable<TableEntry> {
    return this.#entries.values();
  }

  /** The resource of that name, else those that have the key as an alias. */
  lookup(key: string): Iterable<TableEntry> {
    const named = this.#entries.get(key);
    return named === undefined ? this.#byAlias.get(key) : [named];
  }

  /** The workloads of a node; none for the empty name. */
  onNode(node: string): Iterable<TableEntry> {
    return node === '' ? [] : this.#byNode.get(node);
  }

  /** The workloads of a service. */
  membersOf(serviceKey: string): Iterable<TableEntry> {
    return this.#byService.get(serviceKey);
  }

  /** What changed after this generation, each name once and in its newest state. Not before `completeSince`. */
  changesSince(generation: number, kind: 'upserts' | 'removals' | 'both'): Difference {
    const upserts: TableEntry[] = [];
    const removals = new Set<string>();
    let sinceMs: number | undefined;
    for (const change of this.#log.since(generation)) {
      const entry = this.#entries.get(change.name);
      if (!this.#isCurrent(change, entry)) continue;
      if (entry === undefined) {
        if (kind === 'upserts') continue;
        removals.add(change.name);
      } else {
        if (kind === 'removals') continue;
        upserts.push(entry);
      }
      sinceMs ??= change.atMs;
    }
    return { upserts, removals: [...removals], sinceMs };
  }

  /** How many changes a client of this generation lacks, repeated ones included. */
  countSince(generation: number): number {
    return this.#log.countSince(generation);
  }

  /** Forgets the changes up to this generation: no client lacks them. */
  trim(generation: number): void {
    this.#log.trim(generation);
  }

  /** Calls back after each `apply` that changed something. */
  onChange(listener: (changes: ChangeSet) => void): Disposable {
    this.#listeners.add(listener);
    return { [Symbol.dispose]: () => void this.#listeners.delete(listener) };
  }

  /** Whether no later change of this name says otherwise. */
  #isCurrent(change: Change, entry: TableEntry | undefined): boolean {
    if (entry === undefined) return change.removed;
    return !change.removed && entry.generation === change.generation;
  }

  #index(entry: TableEntry): void {
    const { aliases, node, serviceKeys } = entry.resource;
    for (const alias of aliases ?? []) this.#byAlias.add(alias, entry);
    if (node !== undefined && node !== '') this.#byNode.add(node, entry);
    for (const key of serviceKeys ?? []) this.#byService.add(key, entry);
  }

  #unindex(entry: TableEntry): void {
    const { aliases, node, serviceKeys } = entry.resource;
    for (const alias of aliases ?? []) this.#byAlias.delete(alias, entry);
    if (node !== undefined && node !== '') this.#byNode.delete(node, entry);
    for (const key of serviceKeys ?? []) this.#byService.delete(key, entry);
  }
}

function isSame(held: TableEntry, resource: ServedResource, version: string): boolean {
  if (held.version !== version) return false;
  if (version === '' && Buffer.compare(held.resource.bytes, resource.bytes) !== 0) return false;
  // The keys are part of what the content says, but a caller may derive more of them than the content shows.
  return (
    held.resource.node === resource.node &&
    sameKeys(held.resource.aliases, resource.aliases) &&
    sameKeys(held.resource.serviceKeys, resource.serviceKeys)
  );
}

function sameKeys(a: readonly string[] = [], b: readonly string[] = []): boolean {
  return a.length === b.length && a.every((key, at) => key === b[at]);
}
