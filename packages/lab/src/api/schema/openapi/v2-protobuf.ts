import protobuf from 'protobufjs';
import { stringify } from 'yaml';

import { isJsonObject } from '../../object.ts';
import type { JsonObject } from '../../object.ts';

/**
 * OpenAPI 2.0 as a protocol buffer: gnostic's `openapi.v2`, of which these are the messages and fields that our document
 * has. Maps are lists of names and values; values of any type are YAML in a text.
 */
const messages: Readonly<Record<string, string>> = {
  Document: '1 swagger string; 2 info Info; 8 paths Paths; 9 definitions Definitions',
  Info: '1 title string; 2 version string',
  Paths: '2 path NamedPathItem*',
  NamedPathItem: '1 name string; 2 value PathItem',
  PathItem:
    '2 get Operation; 3 put Operation; 4 post Operation; 5 delete Operation; 8 patch Operation; 9 parameters ParametersItem*',
  Operation:
    '5 operation_id string; 8 parameters ParametersItem*; 9 responses Responses; 13 vendor_extension NamedAny*',
  ParametersItem: '1 parameter Parameter',
  Parameter: '1 body_parameter BodyParameter; 2 non_body_parameter NonBodyParameter',
  BodyParameter: '2 name string; 3 in string; 4 required bool; 5 schema Schema',
  NonBodyParameter: '3 query_parameter_sub_schema QuerySubSchema; 4 path_parameter_sub_schema PathSubSchema',
  QuerySubSchema: '1 required bool; 2 in string; 4 name string; 6 type string',
  PathSubSchema: '1 required bool; 2 in string; 4 name string; 5 type string',
  Responses: '1 response_code NamedResponseValue*',
  NamedResponseValue: '1 name string; 2 value ResponseValue',
  ResponseValue: '1 response Response',
  Response: '1 description string; 2 schema SchemaItem',
  SchemaItem: '1 schema Schema',
  Definitions: '1 additional_properties NamedSchema*',
  Properties: '1 additional_properties NamedSchema*',
  NamedSchema: '1 name string; 2 value Schema',
  NamedAny: '1 name string; 2 value Any',
  Any: '2 yaml string',
  AdditionalPropertiesItem: '1 schema Schema; 2 boolean bool',
  ItemsItem: '1 schema Schema*',
  TypeItem: '1 value string*',
  Schema:
    '1 _ref string; 2 format string; 4 description string; 5 default Any; 7 maximum double; 9 minimum double; ' +
    '11 max_length int64; 12 min_length int64; 13 pattern string; 14 max_items int64; 15 min_items int64; ' +
    '17 max_properties int64; 18 min_properties int64; 19 required string*; 20 enum Any*; ' +
    '21 additional_properties AdditionalPropertiesItem; 22 type TypeItem; 23 items ItemsItem; ' +
    '25 properties Properties; 31 vendor_extension NamedAny*',
};

let documentType: protobuf.Type | undefined;

function typeOfDocument(): protobuf.Type {
  if (documentType !== undefined) return documentType;
  const root = new protobuf.Root();
  for (const [name, text] of Object.entries(messages)) {
    const type = new protobuf.Type(name);
    for (const field of text.split('; ')) {
      const [id, fieldName, fieldType] = field.split(' ') as [string, string, string];
      const repeated = fieldType.endsWith('*');
      type.add(
        new protobuf.Field(
          fieldName,
          Number(id),
          fieldType.replace('*', ''),
          repeated ? 'repeated' : undefined,
        ),
      );
    }
    root.add(type);
  }
  return (documentType = root.lookupType('Document'));
}

export function encodeOpenApiV2(document: JsonObject): Uint8Array {
  const message = {
    swagger: document['swagger'],
    info: document['info'],
    paths: { path: named(document['paths'], pathItem) },
    definitions: { additional_properties: named(document['definitions'], schema) },
  };
  return typeOfDocument().encode(message).finish();
}

/** What another reader of these messages would get; for tests. */
export function decodeOpenApiV2(bytes: Uint8Array): JsonObject {
  return typeOfDocument().decode(bytes).toJSON();
}

function named(map: unknown, convert: (value: JsonObject) => JsonObject): JsonObject[] {
  return Object.entries(map as Record<string, JsonObject>).map(([name, value]) => ({
    name,
    value: convert(value),
  }));
}

function pathItem(item: JsonObject): JsonObject {
  const out: JsonObject = { parameters: (item['parameters'] as JsonObject[]).map(parameter) };
  for (const method of ['get', 'put', 'post', 'delete', 'patch'])
    if (item[method] !== undefined) out[method] = operation(item[method] as JsonObject);
  return out;
}

function operation(from: JsonObject): JsonObject {
  return {
    operation_id: from['operationId'],
    parameters: (from['parameters'] as JsonObject[]).map(parameter),
    responses: {
      response_code: named(from['responses'], (response) => ({
        response: {
          description: response['description'],
          schema: { schema: schema(response['schema'] as JsonObject) },
        },
      })),
    },
    vendor_extension: extensions(from),
  };
}

function parameter(from: JsonObject): JsonObject {
  if (from['in'] === 'body')
    return { parameter: { body_parameter: { ...from, schema: schema(from['schema'] as JsonObject) } } };
  const kind = from['in'] === 'query' ? 'query_parameter_sub_schema' : 'path_parameter_sub_schema';
  return { parameter: { non_body_parameter: { [kind]: from } } };
}

function schema(from: JsonObject): JsonObject {
  const out: JsonObject = {};
  for (const key of ['format', 'description', 'maximum', 'minimum', 'pattern', 'required'])
    if (from[key] !== undefined) out[key] = from[key];
  for (const key of ['maxLength', 'minLength', 'maxItems', 'minItems', 'maxProperties', 'minProperties'])
    if (from[key] !== undefined)
      out[key.replace(/[A-Z]/, (letter) => `_${letter.toLowerCase()}`)] = from[key];
  const { $ref, type, items, properties, additionalProperties } = from;
  if ($ref !== undefined) out['_ref'] = $ref;
  if (type !== undefined) out['type'] = { value: [type] };
  if (from['default'] !== undefined) out['default'] = any(from['default']);
  if (Array.isArray(from['enum'])) out['enum'] = from['enum'].map(any);
  if (isJsonObject(items)) out['items'] = { schema: [schema(items)] };
  if (isJsonObject(additionalProperties))
    out['additional_properties'] = { schema: schema(additionalProperties) };
  if (isJsonObject(properties)) out['properties'] = { additional_properties: named(properties, schema) };
  out['vendor_extension'] = extensions(from);
  return out;
}

function extensions(from: JsonObject): JsonObject[] {
  return Object.entries(from)
    .filter(([key]) => key.startsWith('x-'))
    .map(([name, value]) => ({ name, value: any(value) }));
}

function any(value: unknown): JsonObject {
  return { yaml: stringify(value) };
}
