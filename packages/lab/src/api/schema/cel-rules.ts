import type { Environment } from '@marcbachmann/cel-js';

import { isJsonObject } from '../object.ts';
import { ruleEnvironment } from './cel-library.ts';
import { problem, problemWithValue } from './field-problem.ts';
import type { FieldProblem, FieldProblemType } from './field-problem.ts';
import type { ValidationRule } from './json-schema.ts';
import type { SchemaNode } from './schema-node.ts';

/** A rule that this server cannot evaluate, and therefore skips. */
export interface UnsupportedRule {
  readonly rule: string;
  /** What the expression library says of it. */
  readonly why: string;
}

type Program = (variables: { self: unknown; oldSelf: unknown }) => unknown;

interface CompiledRule {
  readonly rule: ValidationRule;
  readonly program: Program | undefined;
  readonly message: Program | undefined;
  readonly comparesOld: boolean;
}

/** Nothing to compare with: the value is new, or its place among others has no stable name. */
const nothing = Symbol('no old value');

const compiled = new WeakMap<ValidationRule, CompiledRule>();
let environment: Environment | undefined;

/**
 * Evaluates `x-kubernetes-validations` (apiextensions: "Validation rules"). Rules that mention `oldSelf` run only where
 * there is an old value; items of lists have one only in list-type maps.
 */
export function runRules(
  value: unknown,
  old: unknown,
  root: SchemaNode,
  onUnsupported: (rule: UnsupportedRule) => void,
): FieldProblem[] {
  const walk = new RuleWalk(onUnsupported);
  walk.visit(value, old ?? nothing, root, '');
  return walk.problems;
}

class RuleWalk {
  readonly problems: FieldProblem[] = [];
  readonly #onUnsupported: (rule: UnsupportedRule) => void;

  constructor(onUnsupported: (rule: UnsupportedRule) => void) {
    this.#onUnsupported = onUnsupported;
  }

  visit(value: unknown, old: unknown, node: SchemaNode, path: string): void {
    if (!node.hasRules || value === null || value === undefined) return;
    if (node.rules.length > 0) this.#evaluate(value, old, node, path);
    if (Array.isArray(value)) this.#visitItems(value, old, node, path);
    else if (isJsonObject(value)) {
      for (const [key, child] of Object.entries(value)) {
        const childNode = node.properties.get(key) ?? node.additional;
        if (childNode === undefined) continue;
        const oldChild = isJsonObject(old) && Object.hasOwn(old, key) ? old[key] : nothing;
        const childPath = node.properties.has(key)
          ? path === ''
            ? key
            : `${path}.${key}`
          : `${path}[${key}]`;
        this.visit(child, oldChild, childNode, childPath);
      }
    }
  }

  #visitItems(list: readonly unknown[], old: unknown, node: SchemaNode, path: string): void {
    if (node.items?.hasRules !== true) return;
    const oldItems =
      node.listType === 'map' && Array.isArray(old)
        ? new Map(old.map((item) => [itemKey(item, node.mapKeys), item as unknown]))
        : undefined;
    list.forEach((item, i) => {
      const key = oldItems === undefined ? '' : itemKey(item, node.mapKeys);
      const oldItem = oldItems?.has(key) === true ? oldItems.get(key) : nothing;
      this.visit(item, oldItem, node.items!, `${path}[${i}]`);
    });
  }

  #evaluate(value: unknown, old: unknown, node: SchemaNode, path: string): void {
    let variables: { self: unknown; oldSelf: unknown } | undefined;
    for (const each of node.rules) {
      const { rule, program, message, comparesOld } = this.#compile(each);
      if (program === undefined || (comparesOld && old === nothing && rule.optionalOldSelf !== true))
        continue;
      variables ??= { self: toCel(value, node), oldSelf: old === nothing ? null : toCel(old, node) };
      const at = rule.fieldPath === undefined ? path : joinFieldPath(path, rule.fieldPath);
      let holds: unknown;
      try {
        holds = program(variables);
      } catch (error) {
        const detail = `${summary(error)} evaluating rule: ${rule.message?.trim() ?? rule.rule.trim()}`;
        this.problems.push(problemWithValue('FieldValueInvalid', path, node.type ?? '', detail));
        continue;
      }
      if (holds !== true) this.problems.push(broken(rule, message, variables, value, at));
    }
  }

  #compile(rule: ValidationRule): CompiledRule {
    const known = compiled.get(rule);
    if (known !== undefined) return known;
    const program = this.#program(rule.rule);
    const message = rule.messageExpression === undefined ? undefined : this.#program(rule.messageExpression);
    const made = { rule, program, message, comparesOld: /\boldSelf\b/.test(rule.rule) };
    compiled.set(rule, made);
    return made;
  }

  #program(expression: string): Program | undefined {
    environment ??= ruleEnvironment();
    try {
      const parsed = environment.parse(expression);
      const types = parsed.check();
      if (types.valid) return (variables) => parsed(variables) as unknown;
      this.#onUnsupported({ rule: expression, why: summary(types.error) });
    } catch (error) {
      this.#onUnsupported({ rule: expression, why: summary(error) });
    }
    return undefined;
  }
}

const reasons: Readonly<Record<string, FieldProblemType>> = {
  FieldValueRequired: 'FieldValueRequired',
  FieldValueForbidden: 'FieldValueForbidden',
  FieldValueDuplicate: 'FieldValueDuplicate',
};

function broken(
  rule: ValidationRule,
  message: Program | undefined,
  variables: { self: unknown; oldSelf: unknown },
  value: unknown,
  path: string,
): FieldProblem {
  const detail = messageOf(message, variables) ?? rule.message?.trim() ?? `failed rule: ${rule.rule.trim()}`;
  const type = reasons[rule.reason ?? ''] ?? 'FieldValueInvalid';
  if (
    type === 'FieldValueRequired' ||
    type === 'FieldValueForbidden' ||
    (typeof value === 'object' && value !== null)
  )
    return problem(type, path, detail);
  return problemWithValue(type, path, value, detail);
}

/** What a messageExpression says; undefined when it fails, so that the plain message counts. */
function messageOf(
  program: Program | undefined,
  variables: { self: unknown; oldSelf: unknown },
): string | undefined {
  if (program === undefined) return undefined;
  try {
    const text = program(variables);
    return typeof text === 'string' && text.trim() !== '' ? text : undefined;
  } catch {
    return undefined;
  }
}

/** Integers of the schema are CEL ints; property names that CEL reserves get their escaped spelling too. */
function toCel(value: unknown, node: SchemaNode | undefined): unknown {
  if (typeof value === 'number')
    return node?.type !== 'number' && Number.isInteger(value) ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => toCel(item, node?.items));
  if (!isJsonObject(value)) return value;
  const out: Record<string, unknown> = Object.create(null) as Record<string, unknown>;
  for (const [key, child] of Object.entries(value)) {
    const named = node?.properties.get(key);
    const converted = toCel(child, named ?? node?.additional);
    out[key] = converted;
    if (named !== undefined) {
      const escaped = escapeProperty(key);
      if (escaped !== key) out[escaped] = converted;
    }
  }
  return out;
}

const reserved = new Set(
  'true false null in as break const continue else for function if import let loop package namespace return var void while'.split(
    ' ',
  ),
);

/** How expressions spell property names that are not identifiers (apiextensions, "Validation rules"). */
function escapeProperty(name: string): string {
  if (reserved.has(name)) return `__${name}__`;
  return name
    .replaceAll('__', '__underscores__')
    .replaceAll('.', '__dot__')
    .replaceAll('-', '__dash__')
    .replaceAll('/', '__slash__');
}

function joinFieldPath(path: string, fieldPath: string): string {
  return path === '' ? fieldPath.replace(/^\./, '') : path + fieldPath;
}

function itemKey(item: unknown, keys: readonly string[]): string {
  return JSON.stringify(keys.map((key) => (isJsonObject(item) ? item[key] : undefined) ?? null));
}

function summary(error: unknown): string {
  if (error instanceof Error && 'summary' in error && typeof error.summary === 'string') return error.summary;
  return error instanceof Error ? error.message : String(error);
}
