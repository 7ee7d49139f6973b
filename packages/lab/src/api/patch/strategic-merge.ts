/**
 * Strategic merge patch, which joins the items of lists by keys that the schema names (API concepts, "Update mechanism:
 * strategic merge patch"), with the directives that kubectl writes.
 */
import { badRequest } from '../errors.ts';
import { equalJson, isJsonObject, setField } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { SchemaNode } from '../schema/schema-node.ts';

const directive = '$patch';
const retainKeys = '$retainKeys';
const deleteFromList = '$deleteFromPrimitiveList/';
const elementOrder = '$setElementOrder/';

/**
 * Neither argument is changed.
 *
 * @param node the schema of the target
 * @throws ApiError 400 for directives that are malformed
 */
export function strategicMergePatch(
  target: JsonObject,
  patch: JsonObject,
  node: SchemaNode | undefined,
): JsonObject {
  const what = patch[directive];
  if (what === 'replace') return withoutDirectives(patch) as JsonObject;
  if (what === 'delete') return {};
  if (what !== undefined && what !== 'merge')
    throw badRequest(
      `unknown value of ${directive}: ${JSON.stringify(what)}; expected replace, delete or merge`,
    );

  const result: JsonObject = retained(target, patch[retainKeys]);
  const orders = new Map<string, readonly unknown[]>();
  for (const [key, value] of Object.entries(patch)) {
    if (key === directive || key === retainKeys) continue;
    if (key.startsWith(deleteFromList)) {
      const field = key.slice(deleteFromList.length);
      const gone = listOf(key, value);
      const kept = result[field];
      if (Array.isArray(kept))
        result[field] = kept.filter((each) => !gone.some((other) => equalJson(each, other)));
    } else if (key.startsWith(elementOrder)) orders.set(key.slice(elementOrder.length), listOf(key, value));
    else if (value === null || (isJsonObject(value) && value[directive] === 'delete')) delete result[key];
    else
      setField(
        result,
        key,
        mergeValue(Object.hasOwn(result, key) ? result[key] : undefined, value, childOf(node, key)),
      );
  }
  for (const [field, order] of orders) {
    const list = result[field];
    const before = target[field];
    if (Array.isArray(list))
      result[field] = ordered(
        list,
        Array.isArray(before) ? before : [],
        order,
        childOf(node, field)?.patchMergeKey,
      );
  }
  return result;
}

function childOf(node: SchemaNode | undefined, key: string): SchemaNode | undefined {
  return node?.properties.get(key) ?? node?.additional;
}

function retained(target: JsonObject, keys: unknown): JsonObject {
  if (keys === undefined) return { ...target };
  const kept = new Set(listOf(retainKeys, keys));
  return Object.fromEntries(Object.entries(target).filter(([key]) => kept.has(key)));
}

function listOf(name: string, value: unknown): readonly unknown[] {
  if (!Array.isArray(value)) throw badRequest(`${name} of the patch is not a list`);
  return value;
}

function mergeValue(target: unknown, patch: unknown, node: SchemaNode | undefined): unknown {
  if (isJsonObject(patch))
    return isJsonObject(target)
      ? strategicMergePatch(target, patch, node)
      : strategicMergePatch({}, patch, node);
  if (!Array.isArray(patch)) return patch;
  if (node?.patchMerge !== true) return withoutDirectives(patch);
  const list: readonly unknown[] = Array.isArray(target) ? target : [];
  const items: readonly unknown[] = patch;
  return node.patchMergeKey === undefined
    ? [...list, ...items.filter((each) => !list.some((other) => equalJson(each, other)))]
    : mergeByKey(list, items, node.patchMergeKey, node.items);
}

function mergeByKey(
  target: readonly unknown[],
  patch: readonly unknown[],
  mergeKey: string,
  node: SchemaNode | undefined,
): unknown[] {
  if (patch.some((item) => isJsonObject(item) && item[directive] === 'replace'))
    return patch
      .filter(
        (item) => !(isJsonObject(item) && item[directive] === 'replace' && Object.keys(item).length === 1),
      )
      .map(withoutDirectives);
  let result = [...target];
  for (const item of patch) {
    if (!isJsonObject(item) || !Object.hasOwn(item, mergeKey))
      throw badRequest(`an item of a list in the patch does not contain the merge key ${mergeKey}`);
    const same = (other: unknown): boolean =>
      isJsonObject(other) && equalJson(other[mergeKey], item[mergeKey]);
    if (item[directive] === 'delete') {
      result = result.filter((other) => !same(other));
      continue;
    }
    const index = result.findIndex(same);
    if (index < 0) result.push(strategicMergePatch({}, item, node));
    else result[index] = mergeValue(result[index], item, node);
  }
  // The patch's own order is what it wants, unless it says otherwise.
  return ordered(result, target, patch, mergeKey);
}

/** The items in the order that the patch wants; those that it does not name keep their place among what was there. */
function ordered(
  list: readonly unknown[],
  before: readonly unknown[],
  order: readonly unknown[],
  mergeKey: string | undefined,
): unknown[] {
  const identity = (item: unknown): string =>
    JSON.stringify(mergeKey !== undefined && isJsonObject(item) ? item[mergeKey] : item);
  const wanted = new Map(order.map((item, index) => [identity(item), index]));
  const place = new Map(before.map((item, index) => [identity(item), index]));
  const named = list
    .filter((item) => wanted.has(identity(item)))
    .sort((a, b) => wanted.get(identity(a))! - wanted.get(identity(b))!);
  const others = list.filter((item) => !wanted.has(identity(item)));
  const result: unknown[] = [];
  while (named.length > 0 && others.length > 0) {
    const namedPlace = place.get(identity(named[0])) ?? -1;
    const otherPlace = place.get(identity(others[0])) ?? Number.MAX_SAFE_INTEGER;
    result.push(namedPlace < otherPlace ? named.shift() : others.shift());
  }
  return [...result, ...named, ...others];
}

function withoutDirectives(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(withoutDirectives);
  if (!isJsonObject(value)) return value;
  const result: JsonObject = {};
  for (const [key, child] of Object.entries(value)) {
    const isDirective =
      key === directive ||
      key === retainKeys ||
      key.startsWith(deleteFromList) ||
      key.startsWith(elementOrder);
    if (!isDirective) setField(result, key, withoutDirectives(child));
  }
  return result;
}
