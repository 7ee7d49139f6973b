import type { JsonObject } from '../../object.ts';
import type { ServedResource } from '../../resources/resource.ts';
import type { JsonSchema } from '../json-schema.ts';
import { definitionsOf } from './definitions.ts';
import { pathsOf } from './paths.ts';
import type { Operation } from './paths.ts';
import { encodeOpenApiV2 } from './v2-protobuf.ts';

const prefix = '#/definitions/';

/** The document at `/openapi/v2` in both of its encodings. */
export interface OpenApiV2 {
  readonly json: JsonObject;
  /** `application/com.github.proto-openapi.spec.v2@v1.0+protobuf` */
  readonly protobuf: Uint8Array;
}

/** Everything that is served, as OpenAPI 2.0. Old `kubectl` checks manifests with it, and explains kinds. */
export function openApiV2(served: readonly ServedResource[]): OpenApiV2 {
  const paths: JsonObject = {};
  for (const resource of served)
    for (const { path, parameters, operations } of pathsOf(resource))
      paths[path] = {
        ...Object.fromEntries(operations.map((each) => [each.method, operation(each)])),
        parameters: parameters.map((name) => ({ name, in: 'path', required: true, type: 'string' })),
      };
  const json = {
    swagger: '2.0',
    info: { title: 'Kubernetes', version: 'unversioned' },
    paths,
    definitions: definitionsOf(served, prefix, schemaV2),
  };
  return { json, protobuf: encodeOpenApiV2(json) };
}

function operation({ method, action, operationId, query, definition, kind }: Operation): JsonObject {
  const reference = { $ref: `${prefix}${definition}` };
  const parameters: JsonObject[] = Object.entries(query).map(([name, type]) => ({ name, in: 'query', type }));
  if (method === 'post' || method === 'put')
    parameters.unshift({ name: 'body', in: 'body', required: true, schema: reference });
  return {
    operationId,
    parameters,
    responses: { '200': { description: 'OK', schema: reference } },
    'x-kubernetes-action': action,
    'x-kubernetes-group-version-kind': kind,
  };
}

const kept = [
  'description',
  'type',
  'format',
  'default',
  'required',
  'enum',
  'pattern',
  'minimum',
  'maximum',
  'minLength',
  'maxLength',
  'minItems',
  'maxItems',
  'minProperties',
  'maxProperties',
] as const;

/**
 * A schema in the words of OpenAPI 2.0. It has no null and no alternatives: what may be null is anything, and
 * alternatives are left out (as apiextensions publishes custom resources).
 */
function schemaV2(schema: JsonSchema, refer: (schema: JsonSchema) => JsonObject): JsonObject {
  const extensions = Object.fromEntries(
    Object.entries(schema).filter(
      ([key]) => key.startsWith('x-kubernetes-') && key !== 'x-kubernetes-validations',
    ),
  );
  if (schema['x-kubernetes-int-or-string'] === true)
    return { ...describe(schema), type: 'string', format: 'int-or-string' };
  if (schema.nullable === true) return { ...describe(schema), ...extensions };
  const out: JsonObject = { ...extensions };
  for (const key of kept) if (schema[key] !== undefined) out[key] = schema[key];
  if (schema.properties !== undefined)
    out['properties'] = Object.fromEntries(
      Object.entries(schema.properties).map(([name, child]) => [name, withDescription(refer(child), child)]),
    );
  if (schema.items !== undefined) out['items'] = refer(schema.items);
  if (typeof schema.additionalProperties === 'object')
    out['additionalProperties'] = refer(schema.additionalProperties);
  return out;
}

function describe({ description }: JsonSchema): JsonObject {
  return description === undefined ? {} : { description };
}

function withDescription(written: JsonObject, { description }: JsonSchema): JsonObject {
  return written['$ref'] === undefined || description === undefined ? written : { ...written, description };
}
