import { isDeepStrictEqual } from 'node:util';
import type { Logger } from '@ambient/runtime';

import type { KindName, KubeObject, ObjectOf, ReflectorTarget } from '@ambient/kube';
import { Claims, sameServed } from './claims.ts';
import type { Batch, Claim } from './claims.ts';
import type { Derivation, DerivationProblem, Derived, DerivedResource } from './derivation.ts';
import type { IndexOf } from './indexes.ts';
import type { ClusterLookup } from './lookup.ts';
import { keyOf, ObjectStore } from './object-store.ts';
import { Questions } from './questions.ts';
import type { Question } from './questions.ts';

/** What a derivation has to say about its source object. Nothing in it means: what was said before holds no more. */
export interface Report<C> {
  readonly derivation: string;
  /** undefined for what is derived once for the cluster. */
  readonly kind: KindName | undefined;
  /** `namespace/name`, '' without a kind. */
  readonly key: string;
  readonly problems: readonly DerivationProblem[];
  readonly conditions: readonly C[];
}

export interface EngineOptions<C> {
  readonly derivations: readonly Derivation<C>[];
  readonly log: Logger;
  /** Called for each report that differs from the one before; not from within a change, but from `work`. */
  readonly onReport?: (report: Report<C>) => void;
  /** Called when there is work after there was none. */
  readonly onWork?: () => void;
}

/** The engine as dumps show it. */
export interface EngineState {
  readonly objects: Readonly<Record<string, number>>;
  readonly units: number;
  readonly questions: number;
  readonly dirty: number;
  /** Runs of translators since the start. */
  readonly runs: number;
  /** Of which so many threw. */
  readonly failures: number;
}

/** Where a resource comes from, one claim on its name. */
export interface Origin {
  readonly derivation: string;
  readonly kind: KindName | undefined;
  /** `namespace/name` of the source object, '' without a kind. */
  readonly key: string;
  /** Whether this is the one that is served; others claim the same name and have lost. */
  readonly served: boolean;
  /** What was read of the cluster for it. */
  readonly read: readonly OriginQuestion[];
  readonly problems: readonly DerivationProblem[];
}

/** Something that a derivation has read. */
export interface OriginQuestion {
  readonly kind: string;
  /** '' for one object by its name. */
  readonly index: string;
  readonly key: string;
  /** Objects that were found. */
  readonly found: number;
}

/** What one derivation makes of one object, and what it has asked for that. */
interface Unit<C> {
  readonly derivation: Derivation<C>;
  readonly key: string;
  created: string;
  questions: readonly Question<Unit<C>>[];
  claims: readonly Claim[];
  problems: readonly DerivationProblem[];
  conditions: readonly C[];
  dirty: boolean;
}

const none: readonly never[] = [];
/** How many units are computed between two looks at the clock. */
const unitsPerLook = 16;

/**
 * Derives resources from the objects of a cluster, again and again, computing only what may have changed. For each unit (one
 * derivation of one object) it remembers what the translator asked for; a change of an object makes those units dirty that
 * asked for it, by its name or by a key of an index. Pure of I/O and of time: `driver.ts` decides when work is done.
 *
 * The result depends on the objects alone, not on the order in which they came.
 */
export class Engine<C = unknown> {
  readonly store: ObjectStore;
  readonly #options: EngineOptions<C>;
  readonly #questions = new Questions<Unit<C>>();
  readonly #claims = new Claims();
  readonly #units: ReadonlyMap<Derivation<C>, Map<string, Unit<C>>>;
  readonly #derivationsOf = new Map<KindName, Derivation<C>[]>();
  readonly #tracked: ClusterLookup;
  #dirty: Unit<C>[] = [];
  /** Those before are done; saves moving the rest of a long queue. */
  #next = 0;
  #runs = 0;
  #failures = 0;

  constructor(options: EngineOptions<C>) {
    this.#options = options;
    this.store = new ObjectStore({
      object: (kind, key, statusOnly) => {
        this.#sourceChanged(kind, key);
        if (!statusOnly) this.#askersChanged(kind, '', key);
      },
      index: (kind, index, key) => this.#askersChanged(kind, index, key),
    });
    const { store } = this;
    const questions = this.#questions;
    this.#tracked = {
      get<K extends KindName>(kind: K, namespace: string, name: string): ObjectOf<K> | undefined {
        const key = keyOf(namespace, name);
        questions.asked(kind, '', key);
        return store.table(kind).get(key);
      },
      list<K extends KindName>(kind: K, index: IndexOf<K>, key: string): readonly ObjectOf<K>[] {
        questions.asked(kind, index, key);
        return store.table(kind).list(index, key);
      },
    };
    this.#units = new Map(options.derivations.map((derivation) => [derivation, new Map()]));
    for (const derivation of options.derivations) {
      if (derivation.kind === undefined) this.#mark(this.#unit(derivation, ''));
      else
        this.#derivationsOf.set(derivation.kind, [
          ...(this.#derivationsOf.get(derivation.kind) ?? []),
          derivation,
        ]);
    }
  }

  /** Where a reflector puts the objects of a kind. */
  target<K extends KindName>(kind: K): ReflectorTarget<ObjectOf<K>> {
    return this.store.table(kind);
  }

  /** Units whose resources may be out of date. */
  get dirty(): number {
    return this.#dirty.length - this.#next;
  }

  /** Computes every unit again, as after a change of the settings that the translators were made with. */
  invalidateAll(): void {
    for (const units of this.#units.values()) for (const unit of units.values()) this.#mark(unit);
  }

  /**
   * Computes dirty units.
   *
   * @param enough asked now and then; true ends the work early
   * @returns whether nothing is left
   */
  work(enough: () => boolean = () => false): boolean {
    for (let done = 1; this.#next < this.#dirty.length; done++) {
      const unit = this.#dirty[this.#next++]!;
      unit.dirty = false;
      this.#compute(unit);
      if (done % unitsPerLook === 0 && enough()) break;
    }
    if (this.#next < this.#dirty.length) return false;
    this.#dirty = [];
    this.#next = 0;
    return true;
  }

  /** What proxies have to be told since the last time; undefined if nothing. */
  takeBatch(): Batch | undefined {
    return this.#claims.takeBatch();
  }

  /** Everything served in a table. */
  resources(table: string): IterableIterator<DerivedResource> {
    return this.#claims.winners(table);
  }

  resource(table: string, name: string): DerivedResource | undefined {
    return this.#claims.winner(table, name);
  }

  /** Which objects a resource was derived from: who claims its name, the one that is served first. */
  origins(table: string, name: string): Origin[] {
    return this.#claims.rivals(table, name).map(({ claimant }, rank) => {
      // Only units claim.
      const { derivation, key, questions, problems } = claimant as Unit<C>;
      return {
        derivation: derivation.name,
        kind: derivation.kind,
        key,
        served: rank === 0,
        read: questions.map((question) => this.#found(this.#questions.describe(question))),
        problems,
      };
    });
  }

  /** Every report that says something: what a new leader has to write. */
  *reports(): IterableIterator<Report<C>> {
    for (const units of this.#units.values())
      for (const unit of units.values())
        if (unit.problems.length + unit.conditions.length > 0) yield reportOf(unit);
  }

  state(): EngineState {
    let units = 0;
    for (const ofDerivation of this.#units.values()) units += ofDerivation.size;
    const objects: Record<string, number> = {};
    for (const kind of this.#derivationsOf.keys()) objects[kind] = this.store.table(kind).size;
    return {
      objects,
      units,
      questions: this.#questions.size,
      dirty: this.dirty,
      runs: this.#runs,
      failures: this.#failures,
    };
  }

  #found(question: Omit<OriginQuestion, 'found'>): OriginQuestion {
    const { kind, index, key } = question;
    const table = this.store.table(kind as KindName);
    const found = index === '' ? (table.get(key) === undefined ? 0 : 1) : table.list(index, key).length;
    return { ...question, found };
  }

  #sourceChanged(kind: KindName, key: string): void {
    for (const derivation of this.#derivationsOf.get(kind) ?? none) this.#mark(this.#unit(derivation, key));
  }

  #askersChanged(kind: KindName, index: string, key: string): void {
    for (const unit of this.#questions.askers(kind, index, key)) this.#mark(unit);
  }

  #unit(derivation: Derivation<C>, key: string): Unit<C> {
    const units = this.#units.get(derivation)!;
    let unit = units.get(key);
    if (unit === undefined) {
      unit = {
        derivation,
        key,
        created: '',
        questions: none,
        claims: none,
        problems: none,
        conditions: none,
        dirty: false,
      };
      units.set(key, unit);
    }
    return unit;
  }

  #mark(unit: Unit<C>): void {
    if (unit.dirty) return;
    unit.dirty = true;
    this.#dirty.push(unit);
    if (this.dirty === 1) this.#options.onWork?.();
  }

  #compute(unit: Unit<C>): void {
    const { derivation, key } = unit;
    const source = derivation.kind === undefined ? undefined : this.store.table(derivation.kind).get(key);
    if (derivation.kind !== undefined && source === undefined) {
      this.#units.get(derivation)!.delete(key);
      this.#questions.forget(unit, unit.questions);
      for (const claim of unit.claims) this.#claims.remove(claim);
      this.#report(unit, none, none);
      return;
    }
    this.#runs++;
    let derived: Derived<C>;
    this.#questions.begin(unit, unit.questions);
    try {
      derived = derivation.derive(source, this.#tracked);
    } catch (error) {
      unit.questions = this.#questions.end(unit.questions, true);
      this.#failed(unit, error);
      return;
    }
    unit.questions = this.#questions.end(unit.questions, false);
    this.#claim(unit, source, derived.resources);
    this.#report(unit, derived.problems ?? none, derived.conditions ?? none);
  }

  /** A translator threw, which is a mistake of ours: this object keeps what it had, and the others go on. */
  #failed(unit: Unit<C>, error: unknown): void {
    this.#failures++;
    const reason = error instanceof Error ? error.message : String(error);
    this.#options.log.error('cannot translate, its previous resources stay in force', {
      derivation: unit.derivation.name,
      kind: unit.derivation.kind,
      object: unit.key,
      error: error instanceof Error ? (error.stack ?? reason) : reason,
    });
    const name = `${unit.derivation.kind ?? unit.derivation.name} ${unit.key}`.trim();
    const message = `${name} cannot be translated (${reason}); what was in force before stays`;
    this.#report(unit, [{ path: '', message, severity: 'error' }], unit.conditions);
  }

  #claim(unit: Unit<C>, source: KubeObject | undefined, resources: readonly DerivedResource[]): void {
    const created = source?.metadata.creationTimestamp ?? '';
    // Another object under the same name may rank otherwise among its rivals.
    const before = created === unit.created ? unit.claims : none;
    if (before !== unit.claims) for (const claim of unit.claims) this.#claims.remove(claim);
    unit.created = created;
    const kept = new Map<string, Claim>();
    for (const claim of before) kept.set(nameOf(claim.resource), claim);
    const claims = new Map<string, Claim>();
    for (const resource of resources) {
      const name = nameOf(resource);
      // The first of two with one name stands, as the translator put it first.
      if (claims.has(name)) continue;
      const old = kept.get(name);
      if (
        old !== undefined &&
        old.resource.priority === resource.priority &&
        sameServed(old.resource, resource)
      ) {
        claims.set(name, old);
        kept.delete(name);
        continue;
      }
      const claim = { claimant: unit, resource };
      claims.set(name, claim);
      this.#claims.add(claim);
    }
    for (const claim of kept.values()) this.#claims.remove(claim);
    unit.claims = claims.size === 0 ? none : [...claims.values()];
  }

  #report(unit: Unit<C>, problems: readonly DerivationProblem[], conditions: readonly C[]): void {
    if (isDeepStrictEqual(unit.problems, problems) && isDeepStrictEqual(unit.conditions, conditions)) return;
    unit.problems = problems.length === 0 ? none : problems;
    unit.conditions = conditions.length === 0 ? none : conditions;
    this.#options.onReport?.(reportOf(unit));
  }
}

function reportOf<C>({ derivation, key, problems, conditions }: Unit<C>): Report<C> {
  return { derivation: derivation.name, kind: derivation.kind, key, problems, conditions };
}

function nameOf({ table, name }: DerivedResource): string {
  return `${table}\u0000${name}`;
}
