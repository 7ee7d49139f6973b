import { equalJson } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { childNode } from './child-node.ts';
import { FieldSetBuilder } from './field-set.ts';
import type { FieldSet } from './field-set.ts';
import { fieldElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';
import { groupItems, shapeOf } from './shape.ts';

/** What changed between two objects, by path. */
export interface Comparison {
  readonly added: FieldSet;
  readonly removed: FieldSet;
  readonly modified: FieldSet;
}

export function compare(before: unknown, after: unknown, node: SchemaNode | undefined): Comparison {
  const walk = new Walk();
  walk.visit(before, after, node);
  return { added: walk.added.build(), removed: walk.removed.build(), modified: walk.modified.build() };
}

/** `filter` applied to each part. */
export function mapComparison(from: Comparison, filter: (set: FieldSet) => FieldSet): Comparison {
  return { added: filter(from.added), removed: filter(from.removed), modified: filter(from.modified) };
}

class Walk {
  readonly added = new FieldSetBuilder();
  readonly removed = new FieldSetBuilder();
  readonly modified = new FieldSetBuilder();
  readonly #path: PathElement[] = [];

  visit(before: unknown, after: unknown, node: SchemaNode | undefined): void {
    if (before === after && before !== undefined) return;
    const b = shapeOf(before, node);
    const a = shapeOf(after, node);
    if (b.as === 'fields' || a.as === 'fields') {
      const left = b.as === 'fields' ? b.value : absent(before) ? {} : undefined;
      const right = a.as === 'fields' ? a.value : absent(after) ? {} : undefined;
      if (left !== undefined && right !== undefined && (hasFields(left) || hasFields(right))) {
        this.#fields(left, right, node);
        this.#whole(before, after);
        return;
      }
    } else if (b.as === 'items' || a.as === 'items') {
      const left = b.as === 'items' ? b.value : absent(before) ? [] : undefined;
      const right = a.as === 'items' ? a.value : absent(after) ? [] : undefined;
      if (left !== undefined && right !== undefined && left.length + right.length > 0) {
        this.#items(left, right, node!);
        this.#whole(before, after);
        return;
      }
    }
    this.#piece(before, after);
  }

  #piece(before: unknown, after: unknown): void {
    if (before === undefined || after === undefined) this.#whole(before, after);
    else if (!equalJson(before, after)) this.modified.insert(this.#path);
  }

  #whole(before: unknown, after: unknown): void {
    if (before === undefined && after !== undefined) this.added.insert(this.#path);
    else if (before !== undefined && after === undefined) this.removed.insert(this.#path);
  }

  #fields(before: JsonObject, after: JsonObject, node: SchemaNode | undefined): void {
    const step = (key: string): void => {
      const element = fieldElement(key);
      const left = Object.hasOwn(before, key) ? before[key] : undefined;
      const right = Object.hasOwn(after, key) ? after[key] : undefined;
      this.#below(element, left, right, childNode(node, element));
    };
    for (const key of Object.keys(before)) step(key);
    for (const key of Object.keys(after)) if (!Object.hasOwn(before, key)) step(key);
  }

  #items(before: readonly unknown[], after: readonly unknown[], node: SchemaNode): void {
    const left = groupItems(before, node);
    const right = groupItems(after, node);
    for (const element of new Set([...left.keys(), ...right.keys()])) {
      const l = left.get(element) ?? [];
      const r = right.get(element) ?? [];
      if (l.length <= 1 && r.length <= 1) this.#below(element, l[0], r[0], node.items);
      else if (l.length > 1 && r.length > 1) {
        if (!equalJson(l, r)) this.modified.insert([...this.#path, element]);
      } else if (l.length > 1) {
        if (r.length === 1) this.#below(element, undefined, r[0], node.items);
        this.removed.insert([...this.#path, element]);
      } else {
        if (l.length === 1) this.#below(element, l[0], undefined, node.items);
        this.added.insert([...this.#path, element]);
      }
    }
  }

  #below(element: PathElement, before: unknown, after: unknown, node: SchemaNode | undefined): void {
    this.#path.push(element);
    this.visit(before, after, node);
    this.#path.pop();
  }
}

function absent(value: unknown): boolean {
  return value === undefined || value === null;
}

function hasFields(value: JsonObject): boolean {
  return Object.keys(value).length > 0;
}
