import type { FieldProblem, ProblemList } from './problem.ts';

/**
 * A place in an object that may hold any JSON. Whatever has another type than asked for is reported with its path and read
 * as absent, so that a check names every problem of an object and never throws. JSON null is absence, as in Kubernetes.
 */
export class FieldReader {
  readonly path: string;
  readonly #value: unknown;
  readonly #problems: ProblemList;

  constructor(value: unknown, path: string, problems: ProblemList) {
    this.#value = value;
    this.path = path;
    this.#problems = problems;
  }

  /** The value as it stands, null read as absent. */
  get raw(): unknown {
    return this.#value ?? undefined;
  }

  get present(): boolean {
    return this.raw !== undefined;
  }

  error(message: string): void {
    this.#report(message, 'error');
  }

  warning(message: string): void {
    this.#report(message, 'warning');
  }

  #report(message: string, severity: FieldProblem['severity']): void {
    this.#problems.add({ path: this.path, message, severity });
  }

  /** A field of this object. */
  at(name: string): FieldReader {
    const value = this.#object()?.[name];
    return new FieldReader(value, this.path === '' ? name : `${this.path}.${name}`, this.#problems);
  }

  /** The elements of this list; none if absent. */
  items(): FieldReader[] {
    if (!this.present) return [];
    if (!Array.isArray(this.#value)) {
      this.error('must be a list');
      return [];
    }
    return this.#value.map((item: unknown, i) => new FieldReader(item, `${this.path}[${i}]`, this.#problems));
  }

  /** The entries of this map, or the fields of this object, that are not null. */
  entries(): [key: string, value: FieldReader][] {
    return Object.entries(this.#object() ?? {}).map(([key, value]) => [
      key,
      new FieldReader(value, `${this.path}[${JSON.stringify(key)}]`, this.#problems),
    ]);
  }

  /** Whether this is an object; reports what is something else, and what is absent if it must be there. */
  isObject(need: 'required' | 'optional' = 'required'): boolean {
    if (this.#object() !== undefined) return true;
    if (need === 'required' && !this.present) this.error('must be set');
    return false;
  }

  #object(): Record<string, unknown> | undefined {
    if (!this.present) return undefined;
    if (typeof this.#value === 'object' && !Array.isArray(this.#value))
      return this.#value as Record<string, unknown>;
    this.error('must be an object');
    return undefined;
  }

  string(): string | undefined {
    return this.#typed('string', 'must be a string');
  }

  number(): number | undefined {
    return this.#typed('number', 'must be a number');
  }

  boolean(): boolean | undefined {
    return this.#typed('boolean', 'must be true or false');
  }

  #typed<T extends 'string' | 'number' | 'boolean'>(type: T, message: string) {
    if (!this.present) return undefined;
    if (typeof this.#value === type)
      return this.#value as T extends 'string' ? string : T extends 'number' ? number : boolean;
    this.error(message);
    return undefined;
  }

  /** A string that must be there and have a character. */
  required(): string | undefined {
    if (this.present && this.raw !== '') return this.string();
    this.error('must be set');
    return undefined;
  }

  /** One of the names given; anything else is reported. */
  oneOf<T extends string>(names: readonly T[]): T | undefined {
    const text = this.string();
    if (text === undefined) return undefined;
    if (names.includes(text as T)) return text as T;
    this.error(`${quote(text)} is not one of ${names.join(', ')}`);
    return undefined;
  }

  /** A whole number within bounds, both included. */
  integer(least: number, most: number): number | undefined {
    const value = this.number();
    if (value === undefined) return undefined;
    if (Number.isInteger(value) && value >= least && value <= most) return value;
    this.error(`must be a whole number from ${least} to ${most}, not ${value}`);
    return undefined;
  }

  /** Which of the fields named are set: exactly one is expected, or at most one. */
  choice(names: readonly string[], need: 'one' | 'at most one'): string | undefined {
    const set = names.filter((name) => this.at(name).present);
    if (set.length > 1) this.error(`only one of ${set.join(', ')} may be set`);
    else if (set.length === 0 && need === 'one') this.error(`one of ${names.join(', ')} must be set`);
    return set[0];
  }
}

/** Text from an object, quoted and cut for a message. */
export function quote(text: string): string {
  return JSON.stringify(text.length > 80 ? `${text.slice(0, 77)}...` : text);
}
