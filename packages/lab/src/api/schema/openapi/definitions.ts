import type { JsonObject } from '../../object.ts';
import type { ServedResource } from '../../resources/resource.ts';
import { metaTypes } from '../builtin/meta.ts';
import { definitionName } from '../json-schema.ts';
import type { JsonSchema } from '../json-schema.ts';
import type { StructuralSchema } from '../structural-schema.ts';

/** Group, version and kind, as `x-kubernetes-group-version-kind` has them. */
export interface GroupVersionKind {
  readonly group: string;
  readonly version: string;
  readonly kind: string;
}

export function kindOf({ resource, version }: ServedResource): GroupVersionKind {
  return { group: resource.group, version: version.name, kind: resource.kind };
}

/** What the kind is called in OpenAPI: built-in types by their package, others by their group spelled backwards. */
export function kindDefinition(served: ServedResource): string {
  const named = documented(served)?.root.source[definitionName];
  if (named !== undefined) return named;
  const group = served.resource.group.split('.').reverse().join('.');
  return `${group === '' ? 'io.k8s.api.core' : group}.${served.version.name}.${served.resource.kind}`;
}

/** How one version of OpenAPI writes a schema; `refer` gives the reference to a definition. */
export type SchemaWriter = (schema: JsonSchema, refer: (schema: JsonSchema) => JsonObject) => JsonObject;

/** Every definition that these kinds need, by name, in order of names. */
export function definitionsOf(
  served: readonly ServedResource[],
  prefix: string,
  write: SchemaWriter,
): Record<string, JsonObject> {
  const out = new Map<string, JsonObject>();
  const refer = (schema: JsonSchema): JsonObject => {
    const name = schema[definitionName];
    if (name === undefined) return write(schema, refer);
    if (!out.has(name)) {
      out.set(name, {}); // its place, so that it is written once
      out.set(name, write(schema, refer));
    }
    return { $ref: `${prefix}${name}` };
  };
  const objectMeta = metaTypes.type('ObjectMeta');
  refer(objectMeta);
  for (const each of served) {
    const source: JsonSchema = documented(each)?.root.source ?? { type: 'object' };
    const schema = { ...source, properties: { ...typeMeta, metadata: objectMeta, ...source.properties } };
    // A custom resource says nothing of its metadata but that it is an object.
    if (each.resource.custom) schema.properties = { ...schema.properties, ...typeMeta, metadata: objectMeta };
    const name = kindDefinition(each);
    out.set(name, {
      ...write(schema, refer),
      'x-kubernetes-group-version-kind': [{ ...kindOf(each) }],
    });
  }
  return Object.fromEntries([...out].sort(([a], [b]) => (a < b ? -1 : 1)));
}

const typeMeta: Readonly<Record<string, JsonSchema>> = {
  apiVersion: { type: 'string', description: 'Group and version of the schema that this object follows.' },
  kind: { type: 'string', description: 'What this object is, in CamelCase.' },
};

function documented({ version }: ServedResource): StructuralSchema | undefined {
  return version.documentedSchema ?? version.schema;
}
