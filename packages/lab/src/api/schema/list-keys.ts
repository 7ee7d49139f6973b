import { isJsonObject } from '../object.ts';
import { problemWithValue } from './field-problem.ts';
import type { FieldProblem } from './field-problem.ts';
import type { SchemaNode } from './schema-node.ts';

/** What stands twice in lists that are sets or maps (apiextensions `x-kubernetes-list-type`). */
export function checkListKeys(value: unknown, root: SchemaNode): FieldProblem[] {
  const problems: FieldProblem[] = [];
  walk(value, root, '', problems);
  return problems;
}

function walk(value: unknown, node: SchemaNode | undefined, path: string, problems: FieldProblem[]): void {
  if (node === undefined) return;
  if (Array.isArray(value)) {
    if (node.uniqueKeys && node.listType === 'set') findDuplicates(value, path, problems);
    else if (node.uniqueKeys && node.listType === 'map') checkMap(value, node, path, problems);
    for (let i = 0; i < value.length; i++) walk(value[i], node.items, `${path}[${i}]`, problems);
  } else if (isJsonObject(value)) {
    for (const [key, child] of Object.entries(value)) {
      if (typeof child !== 'object' || child === null) continue;
      const named = node.properties.get(key);
      if (named !== undefined) walk(child, named, path === '' ? key : `${path}.${key}`, problems);
      else walk(child, node.additional, `${path}[${key}]`, problems);
    }
  }
}

function checkMap(list: readonly unknown[], node: SchemaNode, path: string, problems: FieldProblem[]): void {
  const stray = list.findIndex((item) => item !== null && !isJsonObject(item));
  if (stray !== -1) {
    const detail = 'must be an object for an array of list-type map';
    problems.push(problemWithValue('FieldValueInvalid', `${path}[${stray}]`, list[stray], detail));
    return;
  }
  const keys = list.map((item) => {
    const key: Record<string, unknown> = {};
    for (const name of node.mapKeys) {
      const part = isJsonObject(item) && Object.hasOwn(item, name) ? item[name] : undefined;
      if (part !== undefined) key[name] = part;
    }
    return key;
  });
  findDuplicates(keys, path, problems);
}

/** Reports each value that stands more than once a single time, where it stands for the second time. */
function findDuplicates(values: readonly unknown[], path: string, problems: FieldProblem[]): void {
  if (values.length < 2) return;
  const seen = new Map<string, number>();
  values.forEach((value, i) => {
    const text = JSON.stringify(value);
    const times = (seen.get(text) ?? 0) + 1;
    seen.set(text, times);
    if (times === 2) problems.push(problemWithValue('FieldValueDuplicate', `${path}[${i}]`, value, ''));
  });
}
