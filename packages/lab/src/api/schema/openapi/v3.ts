import { createHash } from 'node:crypto';

import type { JsonObject } from '../../object.ts';
import type { ServedResource } from '../../resources/resource.ts';
import type { JsonSchema } from '../json-schema.ts';
import { definitionsOf } from './definitions.ts';
import { groupVersionPath, pathsOf } from './paths.ts';
import type { Operation } from './paths.ts';

const prefix = '#/components/schemas/';

/** The document at `/openapi/v3/apis/GROUP/VERSION`: kinds and paths of one group and version (OpenAPI 3.0). */
function openApiV3Document(served: readonly ServedResource[]): JsonObject {
  const paths: JsonObject = {};
  for (const resource of served)
    for (const { path, parameters, operations } of pathsOf(resource))
      paths[path] = {
        parameters: parameters.map((name) => ({
          name,
          in: 'path',
          required: true,
          schema: { type: 'string' },
        })),
        ...Object.fromEntries(operations.map((each) => [each.method, operation(each)])),
      };
  return {
    openapi: '3.0.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths,
    components: { schemas: definitionsOf(served, prefix, schemaV3) },
  };
}

/**
 * The index at `/openapi/v3`: where each group and version has its document. The address changes with the content, so
 * that clients may keep what they read.
 * @param documents by path, as `apis/apps/v1`
 */
export function openApiV3Index(documents: ReadonlyMap<string, JsonObject>): JsonObject {
  const paths: JsonObject = {};
  for (const [path, document] of documents) {
    const hash = createHash('sha256').update(JSON.stringify(document)).digest('hex').toUpperCase();
    paths[path] = { serverRelativeURL: `/openapi/v3/${path}?hash=${hash}` };
  }
  return { paths };
}

/** The documents of everything that is served, by path. */
export function openApiV3Documents(served: readonly ServedResource[]): Map<string, JsonObject> {
  const byPath = Map.groupBy(served, ({ resource, version }) =>
    groupVersionPath(resource.group, version.name),
  );
  return new Map([...byPath].map(([path, group]) => [path, openApiV3Document(group)]));
}

const bodyTypes: Readonly<Record<string, readonly string[]>> = {
  post: ['application/json', 'application/yaml'],
  put: ['application/json', 'application/yaml'],
  patch: [
    'application/apply-patch+yaml',
    'application/json-patch+json',
    'application/merge-patch+json',
    'application/strategic-merge-patch+json',
  ],
};

function operation({ method, action, operationId, query, definition, kind }: Operation): JsonObject {
  const reference = { schema: { $ref: `${prefix}${definition}` } };
  const body = bodyTypes[method];
  return {
    operationId,
    parameters: Object.entries(query).map(([name, type]) => ({ name, in: 'query', schema: { type } })),
    ...(body === undefined
      ? {}
      : { requestBody: { content: Object.fromEntries(body.map((type) => [type, reference])) } }),
    responses: { '200': { description: 'OK', content: { 'application/json': reference } } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kind,
  };
}

/** A schema as it is written, but for the definitions that it refers to. */
function schemaV3(schema: JsonSchema, refer: (schema: JsonSchema) => JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const [key, value] of Object.entries(schema)) if (!(key in structure)) out[key] = value as unknown;
  const below = (child: JsonSchema): JsonObject => {
    const written = refer(child);
    const { default: fallback, description } = child;
    if (written['$ref'] === undefined || (fallback === undefined && description === undefined))
      return written;
    // Next to a reference other members are not read.
    return {
      allOf: [written],
      ...(fallback === undefined ? {} : { default: fallback }),
      ...(description === undefined ? {} : { description }),
    };
  };
  const { properties, items, additionalProperties, allOf, anyOf, oneOf, not } = schema;
  if (properties !== undefined)
    out['properties'] = Object.fromEntries(
      Object.entries(properties).map(([name, child]) => [name, below(child)]),
    );
  if (items !== undefined) out['items'] = below(items);
  if (additionalProperties !== undefined)
    out['additionalProperties'] =
      typeof additionalProperties === 'object' ? below(additionalProperties) : additionalProperties;
  for (const [name, list] of Object.entries({ allOf, anyOf, oneOf }))
    if (list !== undefined) out[name] = list.map(below);
  if (not !== undefined) out['not'] = below(not);
  if (schema['x-kubernetes-int-or-string'] === true && schema.type === undefined && anyOf === undefined)
    out['oneOf'] = [{ type: 'integer' }, { type: 'string' }];
  return out;
}

const structure = {
  properties: 1,
  items: 1,
  additionalProperties: 1,
  allOf: 1,
  anyOf: 1,
  oneOf: 1,
  not: 1,
} as const;
