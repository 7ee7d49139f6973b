/** How what was sent differs from what was expected, resource by resource and field by field. */
import { isDeepStrictEqual } from 'node:util';

type Resources = Readonly<Record<string, unknown>>;

/**
 * Differences as lines: `missing NAME`, `surplus NAME`, or `differs NAME: FIELD.PATH is X, expected Y`.
 *
 * @returns [] if they are the same
 */
export function compareDiscovery(actual: Resources, expected: Resources): string[] {
  const differences: string[] = [];
  for (const name of Object.keys(expected).sort()) {
    if (!(name in actual)) differences.push(`missing ${name}`);
    else
      differences.push(
        ...differencesOf(actual[name], expected[name], []).map((text) => `differs ${name}: ${text}`),
      );
  }
  for (const name of Object.keys(actual).sort()) if (!(name in expected)) differences.push(`surplus ${name}`);
  return differences;
}

function differencesOf(actual: unknown, expected: unknown, path: readonly string[]): string[] {
  if (isDeepStrictEqual(actual, expected)) return [];
  if (isRecord(actual) && isRecord(expected)) {
    const keys = [...new Set([...Object.keys(actual), ...Object.keys(expected)])].sort();
    return keys.flatMap((key) => differencesOf(actual[key], expected[key], [...path, key]));
  }
  if (Array.isArray(actual) && Array.isArray(expected) && actual.length === expected.length)
    return actual.flatMap((item, i) => differencesOf(item, expected[i], [...path, `${i}`]));
  const text = (value: unknown): string => (value === undefined ? 'absent' : JSON.stringify(value));
  return [`${path.join('.') || 'it'} is ${text(actual)}, expected ${text(expected)}`];
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
