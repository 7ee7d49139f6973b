import type { KindName } from '@ambient/kube';

/**
 * Something that was asked: for one object, or for what stands under a key of an index. One instance for all who asked.
 * Most are asked by one unit only, so a set is made for the second.
 */
export interface Question<U> {
  readonly home: Map<string, Question<U>>;
  readonly key: string;
  askers: U | Set<U> | undefined;
  /** In which run it was asked last, see `Questions`. */
  mark: number;
}

/**
 * Who asked what. A run collects what one unit asks now and compares it with what it asked before: `begin`, any number of
 * `asked`, and `end`. Marks on the questions make that linear, without a set for each run.
 */
export class Questions<U extends object> {
  /** By kind and index ('' for single objects), then by key. */
  readonly #homes = new Map<string, Map<string, Question<U>>>();
  #run = 0;
  #unit: U | undefined;
  #now: Question<U>[] = [];

  /** Questions that anyone has asked, for dumps. */
  get size(): number {
    let size = 0;
    for (const home of this.#homes.values()) size += home.size;
    return size;
  }

  /** Those who asked. To be read before anything is asked again. */
  *askers(kind: KindName, index: string, key: string): IterableIterator<U> {
    const { askers } = this.#homes.get(homeName(kind, index))?.get(key) ?? {};
    if (askers instanceof Set) yield* askers;
    else if (askers !== undefined) yield askers;
  }

  /** What a question asks for. For dumps: it looks for the question's home. */
  describe(question: Question<U>): { readonly kind: string; readonly index: string; readonly key: string } {
    for (const [name, home] of this.#homes) {
      if (home !== question.home) continue;
      const slash = name.indexOf('/');
      return { kind: name.slice(0, slash), index: name.slice(slash + 1), key: question.key };
    }
    throw new Error(`a question about ${question.key} that nobody has asked`);
  }

  begin(unit: U, before: readonly Question<U>[]): void {
    this.#run += 2;
    this.#unit = unit;
    this.#now = [];
    for (const question of before) question.mark = this.#run;
  }

  asked(kind: KindName, index: string, key: string): void {
    if (this.#unit === undefined) return;
    const home = this.#home(homeName(kind, index));
    let question = home.get(key);
    if (question === undefined) {
      question = { home, key, askers: undefined, mark: 0 };
      home.set(key, question);
    }
    if (question.mark === this.#run + 1) return;
    if (question.mark !== this.#run) add(question, this.#unit);
    question.mark = this.#run + 1;
    this.#now.push(question);
  }

  /**
   * Ends the run.
   *
   * @param before as given to `begin`
   * @param keep whether those asked before and not now count on, after a run that did not come to its end
   * @returns what the unit depends on now
   */
  end(before: readonly Question<U>[], keep: boolean): readonly Question<U>[] {
    const unit = this.#unit;
    const now = this.#now;
    this.#unit = undefined;
    this.#now = [];
    if (unit === undefined) return before;
    let same = now.length === before.length;
    for (let i = 0; i < before.length; i++) {
      const question = before[i]!;
      if (same && now[i] !== question) same = false;
      if (question.mark === this.#run + 1) continue;
      if (keep) now.push(question);
      else drop(question, unit);
    }
    return same ? before : now;
  }

  /** The unit is gone. */
  forget(unit: U, asked: readonly Question<U>[]): void {
    for (const question of asked) drop(question, unit);
  }

  #home(name: string): Map<string, Question<U>> {
    let home = this.#homes.get(name);
    if (home === undefined) this.#homes.set(name, (home = new Map<string, Question<U>>()));
    return home;
  }
}

// One text for each pair, made once: this stands on the path of every question.
const homeNames = new Map<string, Map<string, string>>();

function homeName(kind: string, index: string): string {
  let names = homeNames.get(kind);
  if (names === undefined) homeNames.set(kind, (names = new Map<string, string>()));
  let name = names.get(index);
  if (name === undefined) names.set(index, (name = `${kind}/${index}`));
  return name;
}

function add<U extends object>(question: Question<U>, unit: U): void {
  const { askers } = question;
  if (askers === undefined) question.askers = unit;
  else if (askers instanceof Set) askers.add(unit);
  else if (askers !== unit) question.askers = new Set([askers, unit]);
}

function drop<U extends object>(question: Question<U>, unit: U): void {
  const { askers } = question;
  if (askers instanceof Set) {
    askers.delete(unit);
    if (askers.size > 0) return;
  } else if (askers !== unit) return;
  question.askers = undefined;
  question.home.delete(question.key);
}
