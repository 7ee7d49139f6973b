import { cloneJson, isJsonObject } from '../object.ts';
import type { SchemaNode } from './schema-node.ts';

/**
 * Fills in place what is missing, as apiextensions does: a default for an absent field and for null where null is not
 * allowed; other nulls that are not allowed go away.
 */
export function applyDefaults(value: unknown, node: SchemaNode | undefined): void {
  if (node === undefined) return;
  if (Array.isArray(value)) {
    const items = node.items;
    for (let i = 0; i < value.length; i++) {
      if (value[i] === null && items?.nullable === false && items.default !== undefined)
        value[i] = cloneJson(items.default);
      applyDefaults(value[i], items);
    }
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [name, child] of node.properties) {
    if (child.default === undefined) continue;
    const present = value[name];
    if (present === undefined || (present === null && !child.nullable))
      value[name] = cloneJson(child.default);
  }
  for (const [key, child] of Object.entries(value)) {
    const childNode = node.properties.get(key) ?? node.additional;
    if (childNode === undefined) continue;
    if (child === null && isMeaningless(childNode)) {
      if (childNode.default === undefined) delete value[key];
      else value[key] = cloneJson(childNode.default);
    } else applyDefaults(child, childNode);
  }
}

/** A null that says nothing more than absence: the schema gives a type and does not allow null. */
function isMeaningless(node: SchemaNode): boolean {
  return !node.nullable && !(node.preserveUnknownFields && node.type === undefined);
}
