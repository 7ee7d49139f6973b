import { isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { keyElement, valueElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/**
 * How a value is owned: as one piece (scalars, atomic lists and maps), by its fields, or by its items. Where the schema
 * says nothing, maps are owned by their fields and lists as one piece (structured-merge-diff, "deduced" types).
 */
export type Shape =
  | { readonly as: 'piece' }
  | { readonly as: 'fields'; readonly value: JsonObject }
  | { readonly as: 'items'; readonly value: readonly unknown[] };

const piece: Shape = { as: 'piece' };

export function shapeOf(value: unknown, node: SchemaNode | undefined): Shape {
  if (Array.isArray(value)) return node !== undefined && isAssociative(node) ? { as: 'items', value } : piece;
  if (isJsonObject(value)) return node?.atomicMap === true ? piece : { as: 'fields', value };
  return piece;
}

function isAssociative(node: SchemaNode): boolean {
  return node.listType !== 'atomic';
}

/** An object that is to be applied cannot be merged: an item without its keys, or twice the same keys. */
export class UnmergeableListError extends Error {
  override readonly name = 'UnmergeableListError';
  readonly code = 'list-unmergeable';
}

/** @throws {UnmergeableListError} the item says nothing of its keys, or is of the wrong type */
export function itemElement(item: unknown, list: SchemaNode): PathElement {
  if (list.listType === 'set') {
    if (item === null || typeof item === 'object')
      throw new UnmergeableListError(
        `associative list without keys has an element that's ${item === null ? 'an explicit null' : 'no scalar'}`,
      );
    return valueElement(item);
  }
  if (item === null) throw new UnmergeableListError('associative list with keys may not have a null element');
  if (!isJsonObject(item))
    throw new UnmergeableListError('associative list with keys may not have non-map elements');
  const keys: JsonObject = {};
  for (const name of list.mapKeys) {
    const value = Object.hasOwn(item, name) ? item[name] : list.items?.properties.get(name)?.default;
    if (value !== undefined) keys[name] = value;
  }
  if (Object.keys(keys).length === 0)
    throw new UnmergeableListError(
      `associative list with keys has an element that omits all key fields [${list.mapKeys.map((key) => JSON.stringify(key)).join(' ')}] (and doesn't have default values for any key fields)`,
    );
  return keyElement(keys);
}

/** Items of a list by their step, in order; a step may stand for several items. */
export function groupItems(list: readonly unknown[], node: SchemaNode): Map<PathElement, unknown[]> {
  const groups = new Map<PathElement, unknown[]>();
  for (const item of list) {
    const element = itemElement(item, node);
    const group = groups.get(element);
    if (group === undefined) groups.set(element, [item]);
    else group.push(item);
  }
  return groups;
}
