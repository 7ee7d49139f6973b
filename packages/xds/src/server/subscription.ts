import { DiscoveryRefusal } from './refusal.ts';
import type { ResourceTable, TableEntry } from './resource-table.ts';
import type { Outgoing, SharedResponses } from './shared-responses.ts';

export interface SubscriptionOptions {
  readonly table: ResourceTable;
  readonly shared: SharedResponses;
  /** Removals go out apart, so that they can come after other types' updates. */
  readonly removesLast: boolean;
  /** NODE_NAME of the client, '' if unknown: a client by name gets the workloads of its node unasked. */
  readonly node: string;
}

/** The subscription part of a request. */
export interface SubscriptionChange {
  readonly subscribe: readonly string[];
  readonly unsubscribe: readonly string[];
}

/**
 * What one client wants of one type, and what it holds. A client of everything ("wildcard") holds what the table held at some
 * generation: two numbers. A client by name holds what it was sent: a map.
 */
export class Subscription {
  readonly table: ResourceTable;
  readonly #shared: SharedResponses;
  readonly #removesLast: boolean;
  readonly #node: string;
  #wildcard: boolean;
  /** Names and aliases that the client asked for. */
  readonly #names = new Set<string>();
  /** Names of what they stood for: workloads that join such a service later are sent too. */
  readonly #followed = new Set<string>();
  /** What a client by name holds: name to version. */
  #sent: Map<string, string>;
  /** The client has to be told the difference to the whole table, as far as it wants it: at first, and on becoming wildcard. */
  #resync = true;
  /** Keys asked for that no response has answered. */
  readonly #demanded = new Set<string>();
  /** Names that are gone, but only to be removed after other types' updates. */
  readonly #lateRemovals = new Set<string>();
  #upsertCursor = 0;
  #removalCursor = 0;
  /** Rest of an answer that was split. */
  #parts: Outgoing[] = [];

  /** From the first request of a type: nothing, or `*`, subscribes to everything; taking `*` back in the same request does not. */
  constructor(options: SubscriptionOptions, first: SubscriptionChange, held: ReadonlyMap<string, string>) {
    this.table = options.table;
    this.#shared = options.shared;
    this.#removesLast = options.removesLast;
    this.#node = options.node;
    this.#wildcard =
      (first.subscribe.length === 0 || first.subscribe.includes('*')) && !first.unsubscribe.includes('*');
    this.#sent = new Map(held);
    if (!this.#wildcard) for (const name of held.keys()) this.#names.add(name);
    this.#demand(first);
  }

  get wildcard(): boolean {
    return this.#wildcard;
  }

  /** Names and aliases that the client asked for. */
  get names(): Iterable<string> {
    return this.#names;
  }

  /** Names that the client was sent; undefined for one of everything. */
  get sentNames(): string[] | undefined {
    return this.#wildcard && !this.#resync ? undefined : [...this.#sent.keys()];
  }

  /** Names that this subscription remembers. */
  get nameCount(): number {
    return this.#names.size + this.#followed.size;
  }

  /** Resources that the client holds, as far as it was sent them. */
  get held(): number {
    return this.#wildcard && !this.#resync ? this.table.size : this.#sent.size;
  }

  /** The next update is a whole table, which may be long. */
  get wantsSnapshot(): boolean {
    return this.#wildcard && this.#resync && this.#sent.size === 0;
  }

  /** Generation from which the table has to remember its changes for this client; undefined: none yet. */
  get cursor(): number | undefined {
    return this.#resync ? undefined : Math.min(this.#upsertCursor, this.#removalCursor);
  }

  /** Something other than a later removal waits to be sent. */
  get lacksUpdates(): boolean {
    if (this.#parts.length > 0 || this.#resync || this.#demanded.size > 0) return true;
    if (this.#upsertCursor < this.table.lastUpsert) return true;
    return !this.#removesLast && this.#removalCursor < this.table.lastRemoval;
  }

  /** A removal waits that goes out apart. */
  get lacksRemovals(): boolean {
    if (!this.#removesLast || this.#resync) return false;
    return this.#lateRemovals.size > 0 || this.#removalCursor < this.table.lastRemoval;
  }

  /** A later request of the same type. */
  change(change: SubscriptionChange): void {
    if (change.subscribe.includes('*') && !this.#wildcard) {
      this.#wildcard = true;
      this.#resync = true;
    }
    if (change.unsubscribe.includes('*') && this.#wildcard) {
      this.#wildcard = false;
      if (!this.#resync) this.#sent = this.#covered();
    }
    this.#demand(change);
    for (const name of change.unsubscribe) this.#forget(name);
  }

  /**
   * The next response but removals that go out apart; undefined if there is none, or none is prepared yet (`lacksUpdates` tells).
   *
   * @throws DiscoveryRefusal if the client lacks more than the table remembers
   */
  takeUpdates(): Outgoing | undefined {
    const part = this.#parts.shift();
    if (part !== undefined) return part;
    if (this.#resync) return this.#wildcard ? this.#resyncAll() : this.#resyncNames();
    this.#checkCursor();
    if (!this.#wildcard) return this.#namedUpdates();
    if (this.#demanded.size > 0) return this.#answerDemands(new Map(), [], undefined);
    const kind = this.#removesLast ? 'upserts' : 'both';
    const responses = this.#shared.difference(
      kind === 'upserts' ? this.#upsertCursor : Math.min(this.#upsertCursor, this.#removalCursor),
      kind,
    );
    if (responses === undefined) return undefined;
    this.#upsertCursor = this.table.generation;
    if (!this.#removesLast) this.#removalCursor = this.table.generation;
    return this.#first(responses);
  }

  /** The response with removals that go out apart, if there is one. @throws DiscoveryRefusal as `takeUpdates` */
  takeRemovals(): Outgoing | undefined {
    if (!this.lacksRemovals) return undefined;
    this.#checkCursor();
    const from = this.#removalCursor;
    if (this.#wildcard && this.#lateRemovals.size === 0) {
      const responses = this.#shared.difference(from, 'removals');
      if (responses === undefined) return undefined;
      this.#removalCursor = this.table.generation;
      return this.#first(responses);
    }
    const { removals, sinceMs } = this.table.changesSince(from, 'removals');
    this.#removalCursor = this.table.generation;
    for (const name of removals) if (this.#wildcard || this.#sent.delete(name)) this.#lateRemovals.add(name);
    const gone = [...this.#lateRemovals].filter((name) => this.table.get(name) === undefined);
    this.#lateRemovals.clear();
    return gone.length === 0 ? undefined : this.#first(this.#shared.build([], gone, sinceMs));
  }

  #demand(change: SubscriptionChange): void {
    for (const name of change.subscribe) {
      if (name === '*') continue;
      this.#names.add(name);
      this.#demanded.add(name);
    }
  }

  #forget(name: string): void {
    if (!this.#names.delete(name)) return;
    this.#demanded.delete(name);
    if (this.#wildcard) return;
    for (const found of this.table.lookup(name)) {
      if (!this.#isAskedFor(found)) this.#followed.delete(found.name);
      if (!this.#covers(found)) this.#sent.delete(found.name);
      for (const member of this.table.membersOf(found.name))
        if (!this.#covers(member)) this.#sent.delete(member.name);
    }
  }

  #resyncAll(): Outgoing | undefined {
    if (this.#sent.size === 0) {
      const snapshot = this.#shared.snapshot();
      if (snapshot === undefined) return undefined;
      this.#synced(snapshot.generation);
      return this.#first(snapshot.responses);
    }
    const upserts: TableEntry[] = [];
    for (const entry of this.table.entries())
      if (entry.version === '' || this.#sent.get(entry.name) !== entry.version) upserts.push(entry);
    if (!this.#shared.prepare(upserts)) return undefined;
    const gone = this.#vanished();
    this.#sent = new Map();
    this.#synced(this.table.generation);
    return this.#first(this.#shared.build(upserts, gone, undefined));
  }

  #resyncNames(): Outgoing | undefined {
    const found = new Map<string, TableEntry>();
    for (const entry of this.table.onNode(this.#node)) found.set(entry.name, entry);
    for (const name of [...this.#names])
      for (const entry of this.table.lookup(name)) this.#collect(entry, found);
    for (const entry of [...found.values()])
      if (entry.version !== '' && this.#sent.get(entry.name) === entry.version) found.delete(entry.name);
    const gone = this.#vanished();
    for (const name of gone) this.#sent.delete(name);
    this.#synced(this.table.generation);
    return this.#answerDemands(found, gone, undefined);
  }

  #namedUpdates(): Outgoing | undefined {
    const kind = this.#removesLast ? 'upserts' : 'both';
    const from = this.#removesLast ? this.#upsertCursor : Math.min(this.#upsertCursor, this.#removalCursor);
    const { upserts, removals, sinceMs } = this.table.changesSince(from, kind);
    this.#upsertCursor = this.table.generation;
    if (!this.#removesLast) this.#removalCursor = this.table.generation;
    const found = new Map<string, TableEntry>();
    for (const entry of upserts) {
      if (this.#sent.has(entry.name)) found.set(entry.name, entry);
      if (this.#covers(entry)) this.#collect(entry, found, this.#isAskedFor(entry));
    }
    const gone = removals.filter((name) => this.#sent.delete(name));
    if (found.size + gone.length + this.#demanded.size === 0) return undefined;
    return this.#answerDemands(found, gone, found.size + gone.length > 0 ? sinceMs : undefined);
  }

  /**
   * One answer of what is given and of what was demanded. Upstream's clients wait for the key that they asked for as a name, not
   * as an alias: an alias, found or not, is also listed as removed, and so is what does not exist. The name of something that
   * exists never is, since that would remove it again.
   */
  #answerDemands(
    found: Map<string, TableEntry>,
    gone: readonly string[],
    sinceMs: number | undefined,
  ): Outgoing {
    const removed = new Set(gone);
    for (const key of this.#demanded) {
      for (const entry of this.table.lookup(key)) this.#collect(entry, found);
      if (this.table.get(key) === undefined) removed.add(key);
    }
    this.#demanded.clear();
    if (!this.#wildcard) for (const entry of found.values()) this.#sent.set(entry.name, entry.version);
    return this.#first(this.#shared.build([...found.values()], [...removed], sinceMs, true))!;
  }

  /** Adds a resource that was asked for; a service is of no use without its workloads, which nobody would ask for. */
  #collect(entry: TableEntry, found: Map<string, TableEntry>, followed = true): void {
    found.set(entry.name, entry);
    if (!followed || this.#wildcard) return;
    this.#followed.add(entry.name);
    for (const member of this.table.membersOf(entry.name))
      if (this.#sent.get(member.name) !== member.version || member.version === '')
        found.set(member.name, member);
  }

  #covers(entry: TableEntry): boolean {
    const { node, serviceKeys } = entry.resource;
    if (node !== undefined && node !== '' && node === this.#node) return true;
    if (this.#isAskedFor(entry) || this.#followed.has(entry.name)) return true;
    return serviceKeys?.some((key) => this.#names.has(key) || this.#followed.has(key)) ?? false;
  }

  /** By its own name or an alias, not only by its service or node. */
  #isAskedFor(entry: TableEntry): boolean {
    return (
      this.#names.has(entry.name) || (entry.resource.aliases?.some((key) => this.#names.has(key)) ?? false)
    );
  }

  /** What a client that held everything still wants. */
  #covered(): Map<string, string> {
    const covered = new Map<string, string>();
    for (const entry of this.table.entries()) if (this.#covers(entry)) covered.set(entry.name, entry.version);
    return covered;
  }

  /** Names that the client says to hold, and that do not exist; kept for later if removals go out apart. */
  #vanished(): string[] {
    const gone: string[] = [];
    for (const name of this.#sent.keys()) if (this.table.get(name) === undefined) gone.push(name);
    if (!this.#removesLast) return gone;
    for (const name of gone) this.#lateRemovals.add(name);
    return [];
  }

  #synced(generation: number): void {
    this.#resync = false;
    this.#upsertCursor = generation;
    this.#removalCursor = generation;
  }

  #first(responses: readonly Outgoing[]): Outgoing | undefined {
    this.#parts = responses.slice(1);
    return responses[0];
  }

  #checkCursor(): void {
    if (Math.min(this.#upsertCursor, this.#removalCursor) >= this.table.completeSince) return;
    throw new DiscoveryRefusal(
      'XDS_CLIENT_BEHIND',
      `the client lacks more changes of ${this.table.typeUrl} than are kept; it has to reconnect and say what it holds`,
    );
  }
}
