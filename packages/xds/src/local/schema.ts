import { FieldError } from '../errors.ts';

/** Turns a value of the document into a typed one. @throws FieldError that names `path` */
export type Check<T> = (value: unknown, path: string) => T;

/** A key of a record: its check, and what an absent key means; without a default the key is required. */
export interface Field<T> {
  readonly check: Check<T>;
  readonly absent?: { readonly value: T };
}

type Fields<T> = { readonly [K in keyof T]: Field<T[K]> };

export function required<T>(check: Check<T>): Field<T> {
  return { check };
}

export function optional<T>(check: Check<T>, absent: T): Field<T> {
  return { check, absent: { value: absent } };
}

/** How an error names what it found. */
export function describe(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  if (typeof value === 'object') return 'a mapping';
  return `${typeof value} ${JSON.stringify(value)}`;
}

export const text: Check<string> = (value, path) => {
  if (typeof value !== 'string') throw new FieldError(path, `expected text, found ${describe(value)}`);
  return value;
};

export const flag: Check<boolean> = (value, path) => {
  if (typeof value !== 'boolean')
    throw new FieldError(path, `expected true or false, found ${describe(value)}`);
  return value;
};

/** A whole number from `min` to `max`. */
export function whole(min: number, max: number): Check<number> {
  return (value, path) => {
    if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max)
      throw new FieldError(path, `expected a whole number from ${min} to ${max}, found ${describe(value)}`);
    return value;
  };
}

/** A port number, 0 included. */
export const portNumber = whole(0, 65535);

/** One of the words of `table`, which gives its meaning. */
export function word<T>(table: Readonly<Record<string, T>>): Check<T> {
  return (value, path) => {
    if (typeof value !== 'string' || !Object.hasOwn(table, value))
      throw new FieldError(
        path,
        `expected one of ${Object.keys(table).join(', ')}, found ${describe(value)}`,
      );
    return table[value]!;
  };
}

export function listOf<T>(check: Check<T>): Check<T[]> {
  return (value, path) => {
    if (!Array.isArray(value)) throw new FieldError(path, `expected a list, found ${describe(value)}`);
    return value.map((entry, i) => check(entry, `${path}[${i}]`));
  };
}

/** Null as well as an absent key mean undefined. */
export function maybe<T>(check: Check<T>): Field<T | undefined> {
  return optional((value, path) => (value === null ? undefined : check(value, path)), undefined);
}

/** A plain mapping; tagged values and lists are none. */
const mapping: Check<Readonly<Record<string, unknown>>> = (value, path) => {
  if (typeof value !== 'object' || value === null || Object.getPrototypeOf(value) !== Object.prototype)
    throw new FieldError(path, `expected a mapping, found ${describe(value)}`);
  return value as Readonly<Record<string, unknown>>;
};

/** A mapping with free keys. */
export function mapOf<T>(key: Check<string>, check: Check<T>): Check<[string, T][]> {
  return (value, path) =>
    Object.entries(mapping(value, path)).map(([name, entry]) => [
      key(name, `${path} key ${JSON.stringify(name)}`),
      check(entry, `${path}[${name}]`),
    ]);
}

/** A mapping with exactly the known keys. */
export function record<T extends object>(fields: Fields<T>): Check<T> {
  return (value, path) => {
    const source = mapping(value, path);
    for (const key of Object.keys(source)) {
      if (!Object.hasOwn(fields, key))
        throw new FieldError(
          path === '' ? key : `${path}.${key}`,
          `unknown key (known: ${Object.keys(fields).join(', ')})`,
        );
    }
    const result: Partial<T> = {};
    for (const key of Object.keys(fields) as (keyof T & string)[]) {
      const field = fields[key];
      const at = path === '' ? key : `${path}.${key}`;
      if (Object.hasOwn(source, key)) result[key] = field.check(source[key], at);
      else if (field.absent !== undefined) result[key] = field.absent.value;
      else throw new FieldError(at, 'required key is missing');
    }
    return result as T;
  };
}
