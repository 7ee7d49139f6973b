import { setField } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { SchemaNode } from '../schema/schema-node.ts';
import { childNode } from './child-node.ts';
import { fieldElement } from './path-element.ts';
import type { PathElement } from './path-element.ts';
import { groupItems, itemElement, shapeOf, UnmergeableListError } from './shape.ts';

/**
 * The live object with what is applied laid over it: maps by field, associative lists by item, all else replaced.
 * Neither argument is changed; the result shares parts with both.
 * @throws {UnmergeableListError} the applied object has an item without keys, or two with the same
 */
export function merge(live: unknown, applied: unknown, node: SchemaNode | undefined): unknown {
  if (applied === undefined) return live;
  if (live === undefined || live === null) {
    checkItems(applied, node);
    return applied;
  }
  const left = shapeOf(live, node);
  const right = shapeOf(applied, node);
  if (left.as === 'fields' && right.as === 'fields') return mergeFields(left.value, right.value, node);
  if (left.as === 'items' && right.as === 'items') return mergeItems(left.value, right.value, node!);
  checkItems(applied, node);
  return applied;
}

function mergeFields(live: JsonObject, applied: JsonObject, node: SchemaNode | undefined): JsonObject {
  const out: JsonObject = { ...live };
  for (const [key, value] of Object.entries(applied)) {
    const before = Object.hasOwn(live, key) ? live[key] : undefined;
    setField(out, key, merge(before, value, childNode(node, fieldElement(key))));
  }
  return out;
}

/** Items of both keep the order of the applied list; items of the live one alone stay where they stood among those. */
function mergeItems(live: readonly unknown[], applied: readonly unknown[], node: SchemaNode): unknown[] {
  const wanted = uniqueItems(applied, node);
  const present = groupItems(live, node);
  const steps = live.map((item) => itemElement(item, node));
  const sharedOrder = [...wanted.keys()].filter((element) => present.has(element));
  const out: unknown[] = [];
  const done = new Set<PathElement>();
  const queue = [...wanted.keys()];
  let shared = 0;
  const take = (element: PathElement): void => {
    const before = present.get(element);
    // Items that stand twice cannot be told apart: the applied one replaces them.
    out.push(merge(before?.length === 1 ? before[0] : undefined, wanted.get(element), node.items));
    done.add(element);
    if (sharedOrder[shared] === element) shared++;
  };
  let l = 0;
  let r = 0;
  while (l < live.length || r < queue.length) {
    const step = steps[l];
    const next = queue[r];
    if (step !== undefined && next !== undefined) {
      if (step === next) {
        take(next);
        l++;
        r++;
        continue;
      }
      if (wanted.has(step) && shared < sharedOrder.length && sharedOrder[shared] !== step) {
        l++; // comes later, where the applied list has it
        continue;
      }
    }
    if (step !== undefined && !wanted.has(step)) {
      out.push(live[l++]);
      continue;
    }
    if (step !== undefined && done.has(step)) l++;
    if (next !== undefined) {
      take(next);
      r++;
    }
  }
  return out;
}

function uniqueItems(list: readonly unknown[], node: SchemaNode): Map<PathElement, unknown> {
  const out = new Map<PathElement, unknown>();
  list.forEach((item) => {
    const element = itemElement(item, node);
    if (out.has(element)) throw new UnmergeableListError(`duplicate entries for key ${element.slice(2)}`);
    checkItems(item, node.items);
    out.set(element, item);
  });
  return out;
}

/** What is taken as it stands must have its keys all the same. */
function checkItems(value: unknown, node: SchemaNode | undefined): void {
  const shape = shapeOf(value, node);
  if (shape.as === 'items') uniqueItems(shape.value, node!);
  else if (shape.as === 'fields')
    for (const [key, child] of Object.entries(shape.value))
      if (typeof child === 'object') checkItems(child, childNode(node, fieldElement(key)));
}
