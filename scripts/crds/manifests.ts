import { readFileSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { parseAllDocuments } from 'yaml';
import { customResourceDefinition } from './definition.ts';
import { kinds } from './kinds.ts';
import type { Rule, Schema } from './schema.ts';

/** An object of a manifest. */
export interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly annotations?: Readonly<Record<string, string>> };
}

/** The objects of every YAML file of a folder, or of one file. */
export function manifests(place: string): Manifest[] {
  const files = place.endsWith('.yaml') ? [place] : readdirSync(place).map((name) => path.join(place, name));
  return files.flatMap((file) => {
    const documents = parseAllDocuments(readFileSync(file, 'utf8'));
    if (!Array.isArray(documents)) return [];
    return documents.map((document) => document.toJS() as Manifest).filter((object) => object !== null);
  });
}

/** A definition as far as its checks read it. */
export interface Definition {
  readonly spec: {
    readonly group: string;
    readonly names: { readonly kind: string };
    readonly versions: readonly {
      readonly name: string;
      readonly storage: boolean;
      readonly subresources?: { readonly status: object };
      readonly additionalPrinterColumns: readonly { readonly name: string; readonly jsonPath: string }[];
      readonly schema: { readonly openAPIV3Schema: Schema };
    }[];
  };
}

export const definitions: readonly Definition[] = kinds.map(
  (kind) => customResourceDefinition(kind) as Definition,
);

/** The schema for an object, or undefined if no definition is for its kind. */
export function schemaOf(object: Manifest): Schema | undefined {
  const definition = definitions.find(
    ({ spec }) => spec.names.kind === object.kind && object.apiVersion.startsWith(`${spec.group}/`),
  );
  return definition?.spec.versions.find(({ name }) => object.apiVersion.endsWith(`/${name}`))?.schema
    .openAPIV3Schema;
}

interface AjvError {
  readonly instancePath: string;
  readonly message?: string;
}
interface Ajv {
  compile(schema: object): ((value: unknown) => boolean) & { errors?: readonly AjvError[] | null };
}
// The lab's own, so that its API server and these checks read schemas alike.
const requireOfLab = createRequire(new URL('../../packages/lab/package.json', import.meta.url));
const { default: AjvClass } = requireOfLab('ajv') as { default: new (options: object) => Ajv };
const ajv = new AjvClass({ strict: false, validateFormats: false, allErrors: true, useDefaults: true });

/** Where and why a schema refuses an object, as `spec.rules[0].to: message`. Fills in the defaults of the schema. */
export function schemaErrors(schema: Schema, object: unknown): string[] {
  const validate = ajv.compile(closed(schema));
  if (validate(object)) return [];
  return (validate.errors ?? []).map(
    ({ instancePath, message }) => `${dotted(instancePath)}: ${message ?? ''}`,
  );
}

/** The schema with unknown fields refused, as `kubectl apply` does by default. */
function closed(schema: Schema): object {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true)
    return { ...schema, properties: mapped(schema.properties ?? {}) };
  return {
    ...schema,
    ...(schema.properties === undefined
      ? {}
      : { properties: mapped(schema.properties), additionalProperties: false }),
    ...(schema.items === undefined ? {} : { items: closed(schema.items) }),
    ...(schema.additionalProperties === undefined
      ? {}
      : { additionalProperties: closed(schema.additionalProperties) }),
  };
}

function mapped(properties: Readonly<Record<string, Schema>>): object {
  return Object.fromEntries(
    Object.entries(properties).map(([name, child]) => [
      name,
      name === 'metadata' && child.properties === undefined ? {} : closed(child),
    ]),
  );
}

function dotted(pointer: string): string {
  return pointer
    .split('/')
    .slice(1)
    .map((part) => (/^\d+$/.test(part) ? `[${part}]` : `.${part}`))
    .join('')
    .slice(1);
}

/** Every rule of a schema that is applied to a part of the object, with that part. */
export function* appliedRules(
  schema: Schema,
  value: unknown,
): Generator<{ readonly rule: Rule; readonly self: unknown }> {
  if (value === undefined || value === null) return;
  for (const rule of schema['x-kubernetes-validations'] ?? []) yield { rule, self: value };
  if (Array.isArray(value)) {
    if (schema.items !== undefined) for (const item of value) yield* appliedRules(schema.items, item);
  } else if (typeof value === 'object') {
    for (const [name, child] of Object.entries(value)) {
      const part = schema.properties?.[name] ?? schema.additionalProperties;
      if (part !== undefined) yield* appliedRules(part, child);
    }
  }
}
