import { isJsonObject } from '../object.ts';
import type { SchemaNode } from './schema-node.ts';

const typeAndMetadata = new Set(['apiVersion', 'kind', 'metadata']);

/**
 * Removes in place what the schema does not know, as apiextensions prunes: fields below
 * `x-kubernetes-preserve-unknown-fields` stay unless a schema there says more; apiVersion, kind and metadata of whole
 * objects stay.
 * @returns the paths of what was removed, sorted, such as `spec.ports[0].prot`
 */
export function prune(object: unknown, node: SchemaNode): string[] {
  const removed: string[] = [];
  pruneValue(object, node, '', removed);
  return removed.sort();
}

function pruneValue(value: unknown, node: SchemaNode | undefined, path: string, removed: string[]): void {
  if (Array.isArray(value)) {
    for (let i = 0; i < value.length; i++) pruneValue(value[i], node?.items, `${path}[${i}]`, removed);
    return;
  }
  if (!isJsonObject(value)) return;
  for (const [key, child] of Object.entries(value)) {
    if (node?.embeddedResource === true && typeAndMetadata.has(key)) continue;
    const childNode = node?.properties.get(key) ?? node?.additional;
    if (childNode !== undefined) {
      if (needsPruning(child, childNode)) pruneValue(child, childNode, join(path, key), removed);
    } else if (node === undefined || !node.preserveUnknownFields) {
      delete value[key];
      removed.push(join(path, key));
    }
  }
}

/** What a schema without any structure preserves need not be walked. */
function needsPruning(value: unknown, node: SchemaNode): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return !(
    node.preserveUnknownFields &&
    node.properties.size === 0 &&
    node.items === undefined &&
    node.additional === undefined
  );
}

function join(path: string, key: string): string {
  return path === '' ? key : `${path}.${key}`;
}
