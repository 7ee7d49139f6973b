import { setField } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { childNode } from './child-node.ts';
import type { FieldSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import { itemElement, shapeOf } from './shape.ts';

/** The value without the paths of a set. What loses its last part stays, empty. The argument is not changed. */
export function removeFields(value: unknown, set: FieldSet, node: SchemaNode | undefined): unknown {
  if (set.isEmpty) return value;
  const shape = shapeOf(value, node);
  if (shape.as === 'piece') return value;
  if (shape.as === 'fields') {
    const out: JsonObject = {};
    for (const [key, child] of Object.entries(shape.value)) {
      const element = fieldElement(key);
      if (set.members.has(element)) continue;
      const below = set.children.get(element);
      setField(out, key, below === undefined ? child : removeFields(child, below, childNode(node, element)));
    }
    return out;
  }
  const out: unknown[] = [];
  for (const item of shape.value) {
    const element = itemElement(item, node!);
    if (set.members.has(element)) continue;
    const below = set.children.get(element);
    out.push(below === undefined ? item : removeFields(item, below, node!.items));
  }
  return out;
}
