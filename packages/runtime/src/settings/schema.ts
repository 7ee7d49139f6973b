import type { SettingType } from './setting-types.ts';
import { ValueError } from './setting-types.ts';

/** Where values come from: the environment in a process, a map in a test. */
export interface SettingsSource {
  get(name: string): string | undefined;
  /** All names, for settings that are collected by prefix. */
  names(): Iterable<string>;
}

/** A default that depends on the rest of the environment. */
export interface DerivedDefault<T> {
  readonly from: (source: SettingsSource) => T;
  /** The rule in words, for the documentation table. */
  readonly rule: string;
}

/** One setting: how it is called, read, checked and explained. */
export interface SettingDefinition<T> {
  /** Variable name; of several, the first that is set wins. */
  readonly env: string | readonly [string, ...string[]];
  readonly type: SettingType<T>;
  /** The value if no variable is set; `undefined` only for a type made by `optional`. */
  readonly default: NoInfer<T> | DerivedDefault<NoInfer<T>>;
  /** Returns what is expected instead if a well-formed value is still unacceptable. */
  check?(value: NoInfer<T>): string | undefined;
  /** One sentence of Markdown for the operator. */
  readonly doc: string;
  /** The value is never printed, neither in errors nor in dumps. */
  readonly secret?: boolean;
}

/** A named group of settings, as one section of the documentation. */
export interface SettingsSchema<T extends object> {
  readonly title: string;
  readonly definitions: { readonly [K in keyof T]: SettingDefinition<T[K]> };
  /**
   * Reads every setting. Unknown variables are ignored: an environment holds far more than one program's settings.
   *
   * @throws SettingsError naming every bad value at once
   */
  load(source: SettingsSource): Readonly<T>;
  /** As `load`, but adds what is wrong to `problems` instead of throwing, so that several schemas report together. */
  collect(source: SettingsSource, problems: SettingProblem[]): Readonly<T>;
}

/** One bad value: the variable, what it held, and what would be right. */
export interface SettingProblem {
  readonly env: string;
  readonly value: string;
  readonly expected: string;
}

/** Some settings cannot be used; the text lists all of them, so that one restart mends all. */
export class SettingsError extends Error {
  readonly code = 'SETTINGS_INVALID';
  readonly problems: readonly SettingProblem[];

  constructor(problems: readonly SettingProblem[], options?: ErrorOptions) {
    const lines = problems.map((p) => `  ${p.env}=${p.value}: expected ${p.expected}`);
    super(
      `${problems.length} setting${problems.length === 1 ? '' : 's'} cannot be used; correct the environment of the process:\n${lines.join('\n')}`,
      options,
    );
    this.name = 'SettingsError';
    this.problems = problems;
  }
}

/** A default computed from other variables, with its rule in words. */
export function derived<T>(rule: string, from: (source: SettingsSource) => T): DerivedDefault<T> {
  return { from, rule };
}

export function isDerived<T>(value: T | DerivedDefault<T>): value is DerivedDefault<T> {
  return typeof value === 'object' && value !== null && 'from' in value && 'rule' in value;
}

/** The names of a setting's variables, the preferred one first. */
export function envNames<T>(definition: SettingDefinition<T>): readonly [string, ...string[]] {
  return typeof definition.env === 'string' ? [definition.env] : definition.env;
}

/** What is wrong with a value, shown without it if it is secret. */
function problemOf<T>(definition: SettingDefinition<T>, env: string, raw: string, expected: string) {
  return { env, value: definition.secret === true ? '(hidden)' : JSON.stringify(raw), expected };
}

function readSetting<T>(
  definition: SettingDefinition<T>,
  source: SettingsSource,
  problems: SettingProblem[],
): T | undefined {
  for (const env of envNames(definition)) {
    const raw = source.get(env);
    if (raw === undefined || (raw === '' && definition.type.acceptsEmpty !== true)) continue;
    try {
      const value = definition.type.parse(raw);
      const complaint = definition.check?.(value);
      if (complaint === undefined) return value;
      problems.push(problemOf(definition, env, raw, complaint));
    } catch (error) {
      if (!(error instanceof ValueError)) throw error;
      problems.push(problemOf(definition, env, raw, error.message));
    }
    return undefined;
  }
  return isDerived(definition.default) ? definition.default.from(source) : definition.default;
}

/**
 * Declares a group of settings. The one mechanism by which a process is configured: it gives the type, the default,
 * the check and the documentation of each.
 */
export function defineSettings<T extends object>(
  title: string,
  definitions: { readonly [K in keyof T]: SettingDefinition<T[K]> },
): SettingsSchema<T> {
  const collect = (source: SettingsSource, problems: SettingProblem[]): Readonly<T> => {
    const values: Partial<T> = {};
    for (const key in definitions) {
      // An undefined value stands for a problem or for an absent optional setting; `load` throws in the first case.
      values[key] = readSetting(definitions[key], source, problems);
    }
    return Object.freeze(values as T);
  };
  return {
    title,
    definitions,
    collect,
    load(source) {
      const problems: SettingProblem[] = [];
      const values = collect(source, problems);
      if (problems.length > 0) throw new SettingsError(problems);
      return values;
    },
  };
}
