import { equalJson, isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import { noPath, problem, problemWithValue, quote } from './field-problem.ts';
import type { FieldProblem } from './field-problem.ts';
import { hasFormat, integerRanges } from './formats.ts';
import type { SchemaNode } from './schema-node.ts';

/**
 * Checks a value against a schema: types, limits, alternatives. Order and wording are those of an API server
 * (kube-openapi `validation`, apiextensions `kubeOpenAPIResultToFieldErrors`).
 */
export function checkValue(value: unknown, root: SchemaNode): FieldProblem[] {
  const problems: FieldProblem[] = [];
  check(value, root, '', problems);
  return problems;
}

/** Collects the problems of one value. `path` begins without a dot and is empty for the object itself. */
function check(value: unknown, node: SchemaNode, path: string, problems: FieldProblem[]): void {
  checkType(value, node, path, problems);
  if (value === null || value === undefined) return;
  checkAlternatives(value, node, path, problems);
  if (typeof value === 'string') checkString(value, node, path, problems);
  else if (typeof value === 'number') checkNumber(value, node, path, problems);
  else if (Array.isArray(value)) checkList(value, node, path, problems);
  if (node.source.enum !== undefined) checkEnum(value, node.source.enum, path, problems);
  if (isJsonObject(value)) checkObject(value, node, path, problems);
}

function typeName(value: unknown): string {
  if (value === null || value === undefined) return 'null';
  if (Array.isArray(value)) return 'array';
  if (typeof value === 'number') return Number.isInteger(value) ? 'integer' : 'number';
  return typeof value;
}

function checkType(value: unknown, node: SchemaNode, path: string, problems: FieldProblem[]): void {
  const wanted = node.intOrString ? 'integer,string' : node.type;
  if (wanted === undefined) return;
  const is = typeName(value);
  if (is === 'null' && node.nullable) return;
  if (wanted === is || (wanted === 'number' && is === 'integer')) return;
  if (node.intOrString && (is === 'integer' || is === 'string')) return;
  const detail = `${path} in body must be of type ${wanted}: ${quote(is)}`;
  problems.push(problemWithValue('FieldValueTypeInvalid', path, is, detail));
}

function checkString(value: string, node: SchemaNode, path: string, problems: FieldProblem[]): void {
  const { minLength, maxLength, format } = node.source;
  const invalid = (detail: string): number =>
    problems.push(problemWithValue('FieldValueInvalid', path, value, `${path} in body ${detail}`));
  if (maxLength !== undefined && value.length > maxLength && [...value].length > maxLength)
    problems.push(
      problem(
        'FieldValueTooLong',
        path,
        `may not be more than ${maxLength} ${maxLength === 1 ? 'byte' : 'bytes'}`,
      ),
    );
  if (minLength !== undefined && [...value].length < minLength)
    invalid(`should be at least ${minLength} chars long`);
  if (node.pattern !== undefined && !node.pattern.test(value))
    invalid(`should match '${node.source.pattern}'`);
  if (format !== undefined && node.type !== 'integer' && node.type !== 'number' && !hasFormat(value, format))
    invalid(`must be of type ${format}: ${quote(value)}`);
}

function checkNumber(value: number, node: SchemaNode, path: string, problems: FieldProblem[]): void {
  const { minimum, maximum, exclusiveMinimum, exclusiveMaximum, multipleOf, format } = node.source;
  const invalid = (detail: string): number =>
    problems.push(problemWithValue('FieldValueInvalid', path, value, `${path} in body ${detail}`));
  if (multipleOf !== undefined && !isMultiple(value, multipleOf))
    invalid(`should be a multiple of ${multipleOf}`);
  if (maximum !== undefined && (exclusiveMaximum === true ? value >= maximum : value > maximum))
    invalid(`should be less than ${exclusiveMaximum === true ? '' : 'or equal to '}${maximum}`);
  if (minimum !== undefined && (exclusiveMinimum === true ? value <= minimum : value < minimum))
    invalid(`should be greater than ${exclusiveMinimum === true ? '' : 'or equal to '}${minimum}`);
  const range = node.type === 'integer' && format !== undefined ? integerRanges[format] : undefined;
  if (range !== undefined && (value < range[0] || value > range[1]))
    invalid(`must be of type ${format}: ${quote(String(value))}`);
}

function isMultiple(value: number, of: number): boolean {
  const times = value / of;
  return Math.abs(times - Math.round(times)) < 1e-9;
}

function checkList(
  value: readonly unknown[],
  node: SchemaNode,
  path: string,
  problems: FieldProblem[],
): void {
  if (node.items !== undefined)
    for (let i = 0; i < value.length; i++) check(value[i], node.items, `${path}[${i}]`, problems);
  const { minItems, maxItems, uniqueItems } = node.source;
  if (minItems !== undefined && value.length < minItems) {
    const detail = `${path} in body should have at least ${minItems} items`;
    problems.push(problemWithValue('FieldValueInvalid', path, value.length, detail));
  }
  if (maxItems !== undefined && value.length > maxItems) tooMany(path, value.length, maxItems, problems);
  if (uniqueItems === true && new Set(value.map((item) => JSON.stringify(item))).size < value.length)
    problems.push(
      problemWithValue('FieldValueInvalid', path, value, `${path} in body shouldn't contain duplicates`),
    );
}

function checkEnum(
  value: unknown,
  allowed: readonly unknown[],
  path: string,
  problems: FieldProblem[],
): void {
  if (allowed.some((each) => equalJson(each, value))) return;
  const names = allowed.map((each) => quote(typeof each === 'string' ? each : JSON.stringify(each)));
  problems.push(
    problemWithValue('FieldValueNotSupported', path, value, `supported values: ${names.join(', ')}`),
  );
}

function checkObject(value: JsonObject, node: SchemaNode, path: string, problems: FieldProblem[]): void {
  const { minProperties, maxProperties, additionalProperties } = node.source;
  const keys = Object.keys(value);
  if (minProperties !== undefined && keys.length < minProperties) {
    const detail = `${path} in body should have at least ${minProperties} properties`;
    problems.push(problemWithValue('FieldValueInvalid', path, keys.length, detail));
  }
  if (maxProperties !== undefined && keys.length > maxProperties)
    tooMany(path, keys.length, maxProperties, problems);
  const dot = path === '' ? '' : `${path}.`;
  for (const key of keys) {
    const known = node.properties.get(key) ?? node.additional;
    if (known !== undefined) check(value[key], known, dot + key, problems);
    else if (additionalProperties === false)
      problems.push(
        problemWithValue('FieldValueInvalid', path, key, `${path}.${key} in body is a forbidden property`),
      );
  }
  for (const name of node.required)
    if (!Object.hasOwn(value, name)) problems.push(problem('FieldValueRequired', dot + name));
  if (node.metadataChecks !== undefined && value['metadata'] !== undefined)
    check(value['metadata'], node.metadataChecks, `${dot}metadata`, problems);
}

function tooMany(path: string, actual: number, limit: number, problems: FieldProblem[]): void {
  const detail = `must have at most ${limit} ${limit === 1 ? 'item' : 'items'}`;
  problems.push(problemWithValue('FieldValueTooMany', path, actual, detail));
}

/** allOf, anyOf, oneOf, not. Of alternatives that all failed, the one with the fewest problems explains why. */
function checkAlternatives(value: unknown, node: SchemaNode, path: string, problems: FieldProblem[]): void {
  if (node.anyOf.length > 0) {
    const best = closest(value, node.anyOf, path);
    if (best.problems.length > 0) {
      problems.push(whole(`${quote(path)} must validate at least one schema (anyOf)`), ...best.problems);
    }
  }
  if (node.oneOf.length > 0) {
    const best = closest(value, node.oneOf, path);
    if (best.matching !== 1) {
      const found = best.matching === 0 ? 'Found none valid' : `Found ${best.matching} valid alternatives`;
      problems.push(whole(`${quote(path)} must validate one and only one schema (oneOf). ${found}`));
      problems.push(...best.problems);
    }
  }
  if (node.allOf.length > 0) {
    let matching = 0;
    for (const each of node.allOf) {
      const before = problems.length;
      check(value, each, path, problems);
      if (problems.length === before) matching++;
    }
    if (matching < node.allOf.length)
      problems.push(
        whole(
          `${quote(path)} must validate all the schemas (allOf)${matching === 0 ? '. None validated' : ''}`,
        ),
      );
  }
  if (node.not !== undefined && checkProblems(value, node.not, path).length === 0)
    problems.push(whole(`${quote(path)} must not validate the schema (not)`));
}

function closest(
  value: unknown,
  alternatives: readonly SchemaNode[],
  path: string,
): { matching: number; problems: FieldProblem[] } {
  let matching = 0;
  let best: FieldProblem[] | undefined;
  for (const each of alternatives) {
    const problems = checkProblems(value, each, path);
    if (problems.length === 0) matching++;
    if (best === undefined || problems.length < best.length) best = problems;
  }
  return { matching, problems: best ?? [] };
}

function checkProblems(value: unknown, node: SchemaNode, path: string): FieldProblem[] {
  const problems: FieldProblem[] = [];
  check(value, node, path, problems);
  return problems;
}

/** API servers name no field for these; the path is in the text. */
function whole(detail: string): FieldProblem {
  return problemWithValue('FieldValueInvalid', noPath, '', detail);
}
