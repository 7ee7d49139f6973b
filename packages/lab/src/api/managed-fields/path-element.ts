import { isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';

/**
 * One step of a path, spelled as `fieldsV1` spells it: `f:NAME` (a field), `k:{"KEY":VALUE}` (an item of a list by its
 * keys, in alphabetical order), `v:VALUE` (an item of a set). Equal steps are equal strings.
 */
export type PathElement = string;

export function fieldElement(name: string): PathElement {
  return `f:${name}`;
}

export function keyElement(keys: Readonly<JsonObject>): PathElement {
  const sorted = Object.entries(keys).sort(([a], [b]) => (a < b ? -1 : 1));
  return `k:{${sorted.map(([name, value]) => `${JSON.stringify(name)}:${JSON.stringify(value)}`).join(',')}}`;
}

export function valueElement(value: unknown): PathElement {
  return `v:${JSON.stringify(value)}`;
}

/** The name of a field, or undefined for other steps. */
export function fieldNameOf(element: PathElement): string | undefined {
  return element.startsWith('f:') ? element.slice(2) : undefined;
}

/** The same step as we would spell it; undefined for one that no writer of `fieldsV1` makes. */
export function normalizeElement(text: string): PathElement | undefined {
  if (text.startsWith('f:')) return text;
  if (/^i:\d+$/.test(text)) return text;
  const value = parse(text.slice(2));
  if (text.startsWith('v:') && value !== undefined) return valueElement(value);
  return text.startsWith('k:') && isJsonObject(value) ? keyElement(value) : undefined;
}

/** For people, as API servers print it: `.spec`, `[name="a"]`, `[="a"]`. */
export function printElement(element: PathElement): string {
  const name = fieldNameOf(element);
  if (name !== undefined) return `.${name}`;
  const content = element.slice(2);
  if (element.startsWith('v:')) return `[=${content}]`;
  const keys = element.startsWith('k:') ? parse(content) : undefined;
  if (!isJsonObject(keys)) return `[${content}]`;
  return `[${Object.entries(keys)
    .map(([key, value]) => `${key}=${JSON.stringify(value)}`)
    .join(',')}]`;
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text) as unknown;
  } catch {
    return undefined;
  }
}
