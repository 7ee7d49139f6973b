import type { SettingsSource } from './schema.ts';

/** The environment of this process, as it is at the moment of each call. */
export function processEnvironment(): SettingsSource {
  return { get: (name) => process.env[name], names: () => Object.keys(process.env) };
}

/** Fixed values, for tests and for programs that start another with settings of their own. */
export function settingsFrom(values: Readonly<Record<string, string | undefined>>): SettingsSource {
  return {
    get: (name) => (Object.hasOwn(values, name) ? values[name] : undefined),
    names: () => Object.keys(values).filter((name) => values[name] !== undefined),
  };
}

/** The environment of this process under values that go before it, such as those of flags. */
export function environmentUnder(overrides: Readonly<Record<string, string>>): SettingsSource {
  return layered(settingsFrom(overrides), processEnvironment());
}

/** Two sources as one: where both have a value, that of `above` counts. */
export function layered(above: SettingsSource, below: SettingsSource): SettingsSource {
  return {
    get: (name) => above.get(name) ?? below.get(name),
    names: () => new Set([...above.names(), ...below.names()]),
  };
}

/** Variables whose name starts with `prefix`, with the prefix removed, in the order of the source. */
export function collectByPrefix(source: SettingsSource, prefix: string): [name: string, value: string][] {
  const found: [string, string][] = [];
  for (const name of source.names()) {
    const value = source.get(name);
    if (name.startsWith(prefix) && name.length > prefix.length && value !== undefined)
      found.push([name.slice(prefix.length), value]);
  }
  return found;
}
