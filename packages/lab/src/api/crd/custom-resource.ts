/** A CustomResourceDefinition as the resource that it declares. */
import type { StatusCause } from '../errors.ts';
import { isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import { byStability } from '../resources/registry.ts';
import type { PrinterColumnSpec, Resource, ResourceVersion, ScalePaths } from '../resources/resource.ts';
import { StructuralSchema } from '../schema/structural-schema.ts';
import type { JsonSchema } from '../schema/json-schema.ts';

export interface DeclaredResource {
  /** Undefined if anything is wrong. */
  readonly resource: Resource | undefined;
  readonly problems: readonly StatusCause[];
}

/** Reads a definition; schemas are made ready for use. */
export function declaredResource(crd: ApiObject): DeclaredResource {
  const problems: StatusCause[] = [];
  const wrong = (field: string, message: string, reason = 'FieldValueInvalid'): void => {
    problems.push({ reason, field, message });
  };
  const spec = objectAt(crd, 'spec');
  const names = objectAt(spec, 'names');
  const group = textAt(spec, 'group');
  const plural = textAt(names, 'plural');
  const kind = textAt(names, 'kind');
  if (group === '') wrong('spec.group', 'Required value', 'FieldValueRequired');
  if (plural === '') wrong('spec.names.plural', 'Required value', 'FieldValueRequired');
  if (kind === '') wrong('spec.names.kind', 'Required value', 'FieldValueRequired');
  if (crd.metadata.name !== `${plural}.${group}`)
    wrong(
      'metadata.name',
      `Invalid value: ${JSON.stringify(crd.metadata.name)}: must be spec.names.plural+"."+spec.group`,
    );
  const conversion = objectAt(spec, 'conversion')['strategy'];
  if (conversion !== undefined && conversion !== 'None')
    wrong(
      'spec.conversion.strategy',
      `Unsupported value: ${JSON.stringify(conversion)}: supported values: "None"`,
      'FieldValueNotSupported',
    );

  const entries = (Array.isArray(spec['versions']) ? spec['versions'] : []).filter(isJsonObject);
  const versions: ResourceVersion[] = [];
  for (const [index, entry] of entries.entries())
    try {
      versions.push(versionOf(entry));
    } catch (error) {
      wrong(
        `spec.versions[${index}].schema.openAPIV3Schema`,
        `Invalid value: ${error instanceof Error ? error.message : String(error)}`,
      );
    }
  const storage = entries.filter((entry) => entry['storage'] === true);
  if (storage.length !== 1)
    wrong(
      'spec.versions',
      `Invalid value: ${storage.length}: must have exactly one version marked as storage version`,
    );
  if (problems.length > 0) return { resource: undefined, problems };
  const singular = textAt(names, 'singular');
  const listKind = textAt(names, 'listKind');
  return {
    problems,
    resource: {
      group,
      plural,
      singular: singular === '' ? kind.toLowerCase() : singular,
      kind,
      listKind: listKind === '' ? `${kind}List` : listKind,
      namespaced: spec['scope'] !== 'Cluster',
      shortNames: texts(names['shortNames']),
      categories: texts(names['categories']),
      versions: versions.sort((a, b) => byStability(a.name, b.name)),
      storageVersion: textAt(storage[0]!, 'name'),
      custom: true,
      reviewOnly: false,
      selectableFields: entries
        .flatMap((entry): unknown[] =>
          Array.isArray(entry['selectableFields']) ? entry['selectableFields'] : [],
        )
        .filter(isJsonObject)
        .map((field) => textAt(field, 'jsonPath').replace(/^\./, '')),
    },
  };
}

function versionOf(entry: JsonObject): ResourceVersion {
  const subresources = objectAt(entry, 'subresources');
  const schema = objectAt(entry, 'schema')['openAPIV3Schema'];
  const name = textAt(entry, 'name');
  return {
    name,
    served: entry['served'] === true,
    schema: schema === undefined ? undefined : StructuralSchema.parse(schema as JsonSchema),
    status: isJsonObject(subresources['status']),
    scale: isJsonObject(subresources['scale']) ? scalePaths(subresources['scale']) : undefined,
    columns: (Array.isArray(entry['additionalPrinterColumns'])
      ? entry['additionalPrinterColumns'].filter(isJsonObject)
      : []) as unknown as PrinterColumnSpec[],
    ...(entry['deprecated'] === true
      ? {
          deprecationWarning:
            textAt(entry, 'deprecationWarning') || `version ${name} of this resource is deprecated`,
        }
      : {}),
  };
}

function scalePaths(scale: JsonObject): ScalePaths {
  const path = (name: string): string[] => textAt(scale, name).split('.').slice(1);
  const selector = textAt(scale, 'labelSelectorPath');
  return {
    specReplicas: path('specReplicasPath'),
    statusReplicas: path('statusReplicasPath'),
    labelSelector: selector === '' ? undefined : path('labelSelectorPath'),
  };
}

function objectAt(object: JsonObject, name: string): JsonObject {
  const value = object[name];
  return isJsonObject(value) ? value : {};
}

function textAt(object: JsonObject, name: string): string {
  const value = object[name];
  return typeof value === 'string' ? value : '';
}

function texts(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}
