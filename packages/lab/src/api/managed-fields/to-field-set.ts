import { isJsonObject } from '../object.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { childNode } from './child-node.ts';
import { FieldSetBuilder } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';
import { groupItems, shapeOf } from './shape.ts';

/**
 * What a manager owns who applies this object: every scalar and every atomic list or map; every item of other lists;
 * of maps the fields that no schema names, and those that are empty or null.
 */
export function toFieldSet(object: unknown, node: SchemaNode | undefined): FieldSet {
  const builder = new FieldSetBuilder();
  visit(object, node, [], builder);
  return builder.build();
}

function visit(
  value: unknown,
  node: SchemaNode | undefined,
  path: PathElement[],
  out: FieldSetBuilder,
): void {
  const shape = shapeOf(value, node);
  if (shape.as === 'piece') out.insert(path);
  else if (shape.as === 'fields')
    for (const [key, child] of Object.entries(shape.value)) {
      const element = fieldElement(key);
      path.push(element);
      visit(child, childNode(node, element), path, out);
      if (child === null || isEmptyMap(child) || node?.properties.has(key) !== true) out.insert(path);
      path.pop();
    }
  else
    for (const [element, items] of groupItems(shape.value, node!)) {
      path.push(element);
      // Items that share their keys are owned together, as one.
      if (items.length === 1) visit(items[0], node!.items, path, out);
      out.insert(path);
      path.pop();
    }
}

function isEmptyMap(value: unknown): boolean {
  return isJsonObject(value) && Object.keys(value).length === 0;
}
