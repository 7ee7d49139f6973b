import type { SchemaNode } from '../schema/schema-node.ts';
import { fieldNameOf } from './path-element.ts';
import type { PathElement } from './path-element.ts';

/** The schema one step below; undefined where the schema says nothing. */
export function childNode(node: SchemaNode | undefined, element: PathElement): SchemaNode | undefined {
  const name = fieldNameOf(element);
  return name === undefined ? node?.items : (node?.properties.get(name) ?? node?.additional);
}
