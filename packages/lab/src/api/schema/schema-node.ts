import { isJsonObject } from '../object.ts';
import { metaTypes } from './builtin/meta.ts';
import { repeatableKeys } from './json-schema.ts';
import type { JsonSchema, ValidationRule } from './json-schema.ts';

/** How a list is merged and owned. */
export type ListType = 'atomic' | 'set' | 'map';

/**
 * A schema made ready for walking: what every walk asks often is a field, shared schemas stay shared. `undefined`
 * children mean that nothing is known about the value there.
 */
export interface SchemaNode {
  /** The schema as written, for the checks of values that are not asked at every step. */
  readonly source: JsonSchema;
  readonly type: string | undefined;
  readonly nullable: boolean;
  readonly intOrString: boolean;
  readonly preserveUnknownFields: boolean;
  /** A whole Kubernetes object: apiVersion, kind and metadata are known, whatever the schema says. */
  readonly embeddedResource: boolean;
  readonly properties: ReadonlyMap<string, SchemaNode>;
  /** Of keys that `properties` does not name; `undefined` when there may be none. */
  readonly additional: SchemaNode | undefined;
  readonly items: SchemaNode | undefined;
  readonly listType: ListType;
  /** Keys of a list-type map, in the schema's order. */
  readonly mapKeys: readonly string[];
  /** Whether a key, or an item of a set, may stand only once. */
  readonly uniqueKeys: boolean;
  readonly atomicMap: boolean;
  /** The key by which a strategic merge patch joins items of this list; absent for lists of scalars. */
  readonly patchMergeKey: string | undefined;
  readonly patchMerge: boolean;
  readonly patchRetainKeys: boolean;
  readonly default: unknown;
  readonly required: readonly string[];
  readonly pattern: RegExp | undefined;
  readonly allOf: readonly SchemaNode[];
  readonly anyOf: readonly SchemaNode[];
  readonly oneOf: readonly SchemaNode[];
  readonly not: SchemaNode | undefined;
  readonly rules: readonly ValidationRule[];
  /** What a CustomResourceDefinition demands of metadata beyond what every object's metadata is. */
  readonly metadataChecks: SchemaNode | undefined;
  /** Some schema at or below this one has rules; others need not be walked for them. */
  readonly hasRules: boolean;
}

/** The schema of a CustomResourceDefinition cannot be used. The message names the place in it. */
export class SchemaError extends Error {
  override readonly name = 'SchemaError';
  readonly code = 'schema-invalid';
}

/**
 * Reads a schema. `resource` says that it describes whole Kubernetes objects.
 * @throws {SchemaError} something in it is malformed, such as a pattern
 */
export function parseSchema(source: JsonSchema, resource: boolean): SchemaNode {
  return new Parser().resource(source, resource, '');
}

class Parser {
  readonly #shared = new Map<JsonSchema, SchemaNode>();
  #depth = 0;

  node(source: JsonSchema, path: string): SchemaNode {
    const known = this.#shared.get(source);
    if (known !== undefined) return known;
    const node = this.resource(source, source['x-kubernetes-embedded-resource'] === true, path);
    this.#shared.set(source, node);
    return node;
  }

  resource(source: JsonSchema, embeddedResource: boolean, path: string): SchemaNode {
    checkKeywords(source, path);
    // Each schema needs a stack frame or two here and in every later walk.
    if (++this.#depth > 200) throw new SchemaError(`openAPIV3Schema${path}: nested deeper than 200 schemas`);
    const properties = new Map<string, SchemaNode>();
    for (const [name, child] of Object.entries(source.properties ?? {}))
      properties.set(name, this.node(child, `${path}.properties[${name}]`));
    const metadataChecks = embeddedResource ? this.#takeMetadata(properties) : undefined;
    const additional = source.additionalProperties;
    const list = (name: 'allOf' | 'anyOf' | 'oneOf'): SchemaNode[] =>
      (source[name] ?? []).map((child, i) => this.node(child, `${path}.${name}[${i}]`));
    const strategies = (source['x-kubernetes-patch-strategy'] ?? '').split(',');
    const node = {
      source,
      type: source.type === '' ? undefined : source.type,
      nullable: source.nullable === true,
      intOrString: source['x-kubernetes-int-or-string'] === true,
      preserveUnknownFields: source['x-kubernetes-preserve-unknown-fields'] === true,
      embeddedResource,
      properties,
      additional:
        typeof additional === 'object'
          ? this.node(additional, `${path}.additionalProperties`)
          : additional === true
            ? anything
            : undefined,
      items: source.items === undefined ? undefined : this.node(source.items, `${path}.items`),
      listType: source['x-kubernetes-list-type'] ?? 'atomic',
      mapKeys: source['x-kubernetes-list-map-keys'] ?? [],
      uniqueKeys: source[repeatableKeys] !== true,
      atomicMap: source['x-kubernetes-map-type'] === 'atomic',
      patchMergeKey: source['x-kubernetes-patch-merge-key'],
      patchMerge: strategies.includes('merge'),
      patchRetainKeys: strategies.includes('retainKeys'),
      default: source.default,
      required: source.required ?? [],
      pattern: compilePattern(source.pattern, path),
      allOf: list('allOf'),
      anyOf: list('anyOf'),
      oneOf: list('oneOf'),
      not: source.not === undefined ? undefined : this.node(source.not, `${path}.not`),
      rules: source['x-kubernetes-validations'] ?? [],
      metadataChecks,
    };
    this.#depth--;
    const below = [...properties.values(), node.additional, node.items];
    return { ...node, hasRules: node.rules.length > 0 || below.some((child) => child?.hasRules === true) };
  }

  #takeMetadata(properties: Map<string, SchemaNode>): SchemaNode | undefined {
    const written = properties.get('metadata');
    const known = this.node(metaTypes.type('ObjectMeta'), '');
    const text = this.node({ type: 'string' }, '');
    properties.set('apiVersion', text).set('kind', text).set('metadata', known);
    return written === undefined || written === known ? undefined : written;
  }
}

type Kind = 'object' | 'array' | 'string' | 'boolean' | 'number';

/** What the keywords hold that the parser and the checks rely on. */
const keywords: Readonly<Record<string, Kind>> = {
  type: 'string',
  format: 'string',
  pattern: 'string',
  nullable: 'boolean',
  properties: 'object',
  required: 'array',
  items: 'object',
  enum: 'array',
  allOf: 'array',
  anyOf: 'array',
  oneOf: 'array',
  not: 'object',
  minLength: 'number',
  maxLength: 'number',
  minItems: 'number',
  maxItems: 'number',
  minProperties: 'number',
  maxProperties: 'number',
  minimum: 'number',
  maximum: 'number',
  multipleOf: 'number',
  'x-kubernetes-list-type': 'string',
  'x-kubernetes-list-map-keys': 'array',
  'x-kubernetes-map-type': 'string',
  'x-kubernetes-validations': 'array',
};

function kindOf(value: unknown): string {
  return Array.isArray(value) ? 'array' : value === null ? 'null' : typeof value;
}

function checkKeywords(source: JsonSchema, path: string): void {
  if (!isJsonObject(source)) throw new SchemaError(`openAPIV3Schema${path}: must be an object`);
  for (const [keyword, value] of Object.entries(source)) {
    const wanted = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined;
    if (wanted !== undefined && kindOf(value) !== wanted)
      throw new SchemaError(
        `openAPIV3Schema${path}.${keyword}: must be of type ${wanted}: "${kindOf(value)}"`,
      );
  }
  const rules: unknown = source['x-kubernetes-validations'];
  if (!((rules ?? []) as unknown[]).every((rule) => isJsonObject(rule) && typeof rule['rule'] === 'string'))
    throw new SchemaError(`openAPIV3Schema${path}.x-kubernetes-validations: each must have a rule`);
}

/** Stands for a value that the schema leaves open. */
const anything: SchemaNode = parseSchema({ 'x-kubernetes-preserve-unknown-fields': true }, false);

/** Go's regular expressions mean the same in JavaScript but for a few spellings, which are translated. */
function compilePattern(pattern: string | undefined, path: string): RegExp | undefined {
  if (pattern === undefined || pattern === '') return undefined;
  const flags = /^\(\?([ims]+)\)/.exec(pattern);
  const body = (flags === null ? pattern : pattern.slice(flags[0].length))
    .replaceAll('\\A', '^')
    .replaceAll('\\z', '$')
    .replaceAll('(?P<', '(?<');
  try {
    return new RegExp(body, `u${flags?.[1] ?? ''}`);
  } catch {
    try {
      return new RegExp(body, flags?.[1] ?? ''); // escapes that Go allows and the u flag does not, such as \-
    } catch (cause) {
      throw new SchemaError(`openAPIV3Schema${path}.pattern: not a regular expression: ${pattern}`, {
        cause,
      });
    }
  }
}
