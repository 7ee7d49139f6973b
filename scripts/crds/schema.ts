/**
 * A small language for the schemas of custom resources: each function makes one node of an OpenAPI v3 structural schema, as
 * `apiextensions.k8s.io/v1` asks for (a type at every level, no references, no union of types). The first argument is always the
 * sentence that `kubectl explain` shows.
 */

/** A CEL rule over `self`, and what a user reads when it is false. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
}

/** A condition on which fields are present; the only part of JSON Schema's logic that these schemas use. */
export interface Presence {
  readonly required?: readonly string[];
  readonly anyOf?: readonly Presence[];
  readonly oneOf?: readonly Presence[];
  readonly not?: Presence;
}

/** One node of a structural schema. */
export interface Schema {
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'number' | 'boolean';
  readonly description?: string;
  readonly format?: string;
  readonly default?: unknown;
  readonly nullable?: true;
  readonly enum?: readonly string[];
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly required?: readonly string[];
  readonly oneOf?: readonly Presence[];
  readonly allOf?: readonly Presence[];
  readonly 'x-kubernetes-int-or-string'?: true;
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-list-type'?: 'atomic' | 'map' | 'set';
  readonly 'x-kubernetes-map-type'?: 'atomic';
  readonly 'x-kubernetes-preserve-unknown-fields'?: true;
  readonly 'x-kubernetes-validations'?: readonly Rule[];
}

/** Fields of an object by name. */
export type Fields = Readonly<Record<string, Schema>>;

type StringOptions = Pick<Schema, 'default' | 'enum' | 'format' | 'maxLength' | 'minLength' | 'pattern'>;

export function string(description: string, options: StringOptions = {}): Schema {
  return { type: 'string', description, ...options };
}

/** One of a few words. */
export function oneWord(description: string, words: readonly string[], fallback?: string): Schema {
  return string(description, { enum: words, ...(fallback === undefined ? {} : { default: fallback }) });
}

type NumberOptions = Pick<Schema, 'default' | 'maximum' | 'minimum' | 'nullable'>;

/** A signed 32-bit number. */
export function int32(description: string, options: NumberOptions = {}): Schema {
  return { type: 'integer', format: 'int32', description, ...options };
}

/** An unsigned 32-bit number. */
export function uint32(description: string, options: NumberOptions = {}): Schema {
  return { type: 'integer', description, minimum: 0, maximum: 4_294_967_295, ...options };
}

/** A whole number that JSON's users may also write as a string, as protobuf does with 64 bits. */
export function int64(description: string): Schema {
  return { description, 'x-kubernetes-int-or-string': true };
}

export function port(description: string, options: NumberOptions = {}): Schema {
  return int32(description, { minimum: 1, maximum: 65_535, ...options });
}

export function double(description: string, options: NumberOptions = {}): Schema {
  return { type: 'number', format: 'double', description, ...options };
}

export function boolean(description: string, options: Pick<Schema, 'default' | 'nullable'> = {}): Schema {
  return { type: 'boolean', description, ...options };
}

type ObjectOptions = Pick<Schema, 'default' | 'oneOf' | 'allOf' | 'x-kubernetes-map-type'> & {
  readonly required?: readonly string[];
  readonly rules?: readonly Rule[];
};

export function object(description: string, properties: Fields, options: ObjectOptions = {}): Schema {
  const { rules, ...rest } = options;
  return { type: 'object', description, properties, ...rest, ...validations(rules) };
}

/** Any JSON object, kept as it is. */
export function anyObject(description: string): Schema {
  return { type: 'object', description, 'x-kubernetes-preserve-unknown-fields': true };
}

type ListOptions = Pick<Schema, 'minItems' | 'maxItems' | 'default'> & {
  /** Server-side apply merges elements that agree in these fields; without, the list has one owner. */
  readonly keys?: readonly string[];
  /** Elements are unique scalars, each with an owner of its own. */
  readonly set?: true;
  readonly rules?: readonly Rule[];
};

export function list(description: string, items: Schema, options: ListOptions = {}): Schema {
  const { keys, set, rules, ...rest } = options;
  return {
    type: 'array',
    description,
    items,
    ...rest,
    ...(keys === undefined
      ? { 'x-kubernetes-list-type': set === undefined ? 'atomic' : 'set' }
      : { 'x-kubernetes-list-map-keys': keys, 'x-kubernetes-list-type': 'map' }),
    ...validations(rules),
  };
}

type MapOptions = Pick<Schema, 'maxProperties'> & { readonly rules?: readonly Rule[] };

/** An object whose keys are the user's. */
export function map(description: string, values: Schema, options: MapOptions = {}): Schema {
  const { rules, ...rest } = options;
  return { type: 'object', description, additionalProperties: values, ...rest, ...validations(rules) };
}

/** A list of plain strings. */
export function strings(description: string, options: ListOptions = {}): Schema {
  return list(description, { type: 'string' }, options);
}

/** A map from string to string. */
export function labels(description: string, options: MapOptions = {}): Schema {
  return map(description, { type: 'string' }, options);
}

/** The same node under another sentence, or with other constraints. */
export function also(schema: Schema, changes: Schema): Schema {
  return { ...schema, ...changes };
}

/** Presence of at most one of these fields, for an object's `oneOf`. */
export function atMostOne(...names: readonly string[]): readonly Presence[] {
  const each = names.map((name) => ({ required: [name] }));
  return [{ not: { anyOf: each } }, ...each];
}

/** Presence of exactly one of these fields, for an object's `oneOf`. */
export function exactlyOne(...names: readonly string[]): readonly Presence[] {
  return names.map((name) => ({ required: [name] }));
}

/**
 * A length of time as Go and Istio write it: `1h30m`, `0.5s`, `100ms`. Whether it is long enough for its use is said by the
 * control plane's own checks, since CEL over every duration of a large object would exceed the API server's cost limit.
 */
export function duration(description: string): Schema {
  return string(description, {
    maxLength: 64,
    pattern:
      '^(0|([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|ms|s|m|h)(([0-9]+(\\.[0-9]*)?|\\.[0-9]+)(ns|us|ms|s|m|h))*)$',
  });
}

function validations(rules: readonly Rule[] | undefined): Pick<Schema, 'x-kubernetes-validations'> {
  return rules === undefined ? {} : { 'x-kubernetes-validations': rules };
}
