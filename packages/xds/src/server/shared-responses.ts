import type { ResourceTable, TableEntry } from './resource-table.ts';
import { responseTail } from './wire-encoding.ts';

/** One response as it goes out. */
export interface Outgoing {
  readonly typeUrl: string;
  readonly nonce: string;
  /** The encoded DeltaDiscoveryResponse. Clients that are in step share it: not to be changed. */
  readonly bytes: Buffer;
  readonly resources: number;
  readonly removed: number;
  /** When the oldest of the changes that it brings was applied, Unix time in milliseconds; undefined for first answers. */
  readonly sinceMs: number | undefined;
}

/** All of a table in one generation. */
export interface Snapshot {
  readonly generation: number;
  readonly responses: readonly Outgoing[];
}

export interface SharedResponsesOptions {
  readonly table: ResourceTable;
  /** Nonces are unique over all streams of the server, so that a response can be shared with its nonce. */
  readonly nextNonce: () => string;
  /** A response that would be longer is split. */
  readonly maxResponseBytes: number;
  /** Runs a step of long work after the events that wait now. */
  readonly defer: (step: () => void) => void;
  /** Called when long work is done on which a response waited. */
  readonly onPrepared: () => void;
}

/** Entries whose encoding does not delay other clients noticeably: about a millisecond. */
const encodedAtOnce = 500;
/** A snapshot serves newcomers until this many changes came after it, which they get right after. */
const snapshotLag = 1000;

/**
 * Responses of one table that several clients get: each is encoded once, however many clients are in step. Long work is done in
 * slices between which the process does other things.
 */
export class SharedResponses {
  readonly #options: SharedResponsesOptions;
  readonly #table: ResourceTable;
  /** By kind and the generation that they start from, all up to `#generation`. */
  readonly #differences = new Map<string, readonly Outgoing[]>();
  #generation = 0;
  #snapshot: Snapshot | undefined;
  #snapshotUsed = false;
  #preparing = false;

  constructor(options: SharedResponsesOptions) {
    this.#options = options;
    this.#table = options.table;
  }

  /** What takes a client of everything from one generation to the present; undefined: not prepared yet, ask after `onPrepared`. */
  difference(from: number, kind: 'upserts' | 'removals' | 'both'): readonly Outgoing[] | undefined {
    if (this.#generation !== this.#table.generation) {
      this.#differences.clear();
      this.#generation = this.#table.generation;
    }
    const key = `${kind} ${from}`;
    const known = this.#differences.get(key);
    if (known !== undefined) return known;
    if (this.#preparing) return undefined;
    const { upserts, removals, sinceMs } = this.#table.changesSince(from, kind);
    if (!this.prepare(upserts)) return undefined;
    const responses = upserts.length + removals.length === 0 ? [] : this.build(upserts, removals, sinceMs);
    this.#differences.set(key, responses);
    return responses;
  }

  /** The whole table, maybe somewhat old: its generation says what is to follow. Undefined as for `difference`. */
  snapshot(): Snapshot | undefined {
    const known = this.#snapshot;
    if (known !== undefined && this.#isFresh(known)) {
      this.#snapshotUsed = true;
      return known;
    }
    if (this.#preparing) return undefined;
    const entries = [...this.#table.entries()];
    if (!this.prepare(entries)) return undefined;
    this.#snapshotUsed = true;
    this.#snapshot = {
      generation: this.#table.generation,
      responses: this.build(entries, [], undefined),
    };
    return this.#snapshot;
  }

  /** Generation that the snapshot in memory needs the table to remember, if there is one. */
  get pinnedGeneration(): number | undefined {
    return this.#snapshot?.generation;
  }

  /** Lets go of what nobody used since the last call, or nobody can use. To be called every few seconds. */
  release(): void {
    this.#differences.clear();
    if (this.#snapshot === undefined) return;
    if (!this.#snapshotUsed || !this.#isFresh(this.#snapshot)) this.#snapshot = undefined;
    this.#snapshotUsed = false;
  }

  /** Whether these can be encoded at once. If not, encodes them in slices, then calls `onPrepared`. */
  prepare(entries: readonly TableEntry[]): boolean {
    if (this.#preparing) return false;
    const rest: TableEntry[] = [];
    for (const entry of entries) if (!entry.isEncoded) rest.push(entry);
    if (rest.length <= encodedAtOnce) return true;
    this.#preparing = true;
    let at = 0;
    const step = (): void => {
      for (const end = Math.min(rest.length, at + encodedAtOnce); at < end; at++) rest[at]!.field();
      if (at < rest.length) {
        this.#options.defer(step);
        return;
      }
      this.#preparing = false;
      this.#options.onPrepared();
    };
    this.#options.defer(step);
    return false;
  }

  /**
   * One response, or several if it gets too long; at least one, removals in the last.
   *
   * @param withAliases for clients that subscribe by name
   */
  build(
    upserts: readonly TableEntry[],
    removals: readonly string[],
    sinceMs: number | undefined,
    withAliases = false,
  ): Outgoing[] {
    const responses: Outgoing[] = [];
    let fields: Uint8Array[] = [];
    let length = 0;
    const finish = (removed: readonly string[]): void => {
      const nonce = this.#options.nextNonce();
      const tail = responseTail(this.#table.typeUrl, nonce, removed);
      responses.push({
        typeUrl: this.#table.typeUrl,
        nonce,
        bytes: Buffer.concat([...fields, tail], length + tail.length),
        resources: fields.length,
        removed: removed.length,
        sinceMs,
      });
      fields = [];
      length = 0;
    };
    for (const entry of upserts) {
      const field = withAliases ? entry.fieldWithAliases() : entry.field();
      if (fields.length > 0 && length + field.length > this.#options.maxResponseBytes) finish([]);
      fields.push(field);
      length += field.length;
    }
    finish(removals);
    return responses;
  }

  #isFresh(snapshot: Snapshot): boolean {
    return (
      snapshot.generation >= this.#table.completeSince &&
      this.#table.countSince(snapshot.generation) <= snapshotLag
    );
  }
}
