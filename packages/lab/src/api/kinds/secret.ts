import type { StatusCause } from '../errors.ts';
import { equalJson, isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { KindStrategy } from '../operations/strategy.ts';

/** `stringData` is for writing only: it becomes `data`. */
function takeStringData(secret: ApiObject): void {
  secret['type'] ??= 'Opaque';
  const plain = secret['stringData'];
  if (!isJsonObject(plain)) return;
  const data: JsonObject = isJsonObject(secret['data']) ? { ...secret['data'] } : {};
  for (const [key, value] of Object.entries(plain)) data[key] = Buffer.from(String(value)).toString('base64');
  secret['data'] = data;
  delete secret['stringData'];
}

/** Keys become names of files. */
function keyCauses(object: ApiObject, fields: readonly string[]): StatusCause[] {
  return fields.flatMap((field) =>
    Object.keys(isJsonObject(object[field]) ? object[field] : {})
      .filter((key) => !/^[-._a-zA-Z0-9]{1,253}$/.test(key) || key === '.' || key.startsWith('..'))
      .map((key) => ({
        reason: 'FieldValueInvalid',
        field: `${field}[${key}]`,
        message: `Invalid value: ${JSON.stringify(key)}: a valid config key must consist of alphanumeric characters, '-', '_' or '.' (e.g. 'key.name',  or 'KEY_NAME',  or 'key-name', regex used for validation is '[-._a-zA-Z0-9]+')`,
      })),
  );
}

function immutableCauses(object: ApiObject, live: ApiObject | undefined): StatusCause[] {
  if (live?.['immutable'] !== true) return [];
  return ['immutable', 'data', 'binaryData']
    .filter((field) => !equalJson(object[field], live[field]))
    .map((field) => ({
      reason: 'FieldValueForbidden',
      field,
      message: 'Forbidden: field is immutable when `immutable` is set',
    }));
}

export const secretStrategy: KindStrategy = {
  applyDefaults: takeStringData,
  validate: (object, live) => [
    ...keyCauses(object, ['data']),
    ...immutableCauses(object, live),
    ...(live !== undefined && object['type'] !== live['type']
      ? [
          {
            reason: 'FieldValueInvalid',
            field: 'type',
            message: `Invalid value: ${JSON.stringify(object['type'])}: field is immutable`,
          },
        ]
      : []),
  ],
};

export const configMapStrategy: KindStrategy = {
  validate: (object, live) => [
    ...keyCauses(object, ['data', 'binaryData']),
    ...immutableCauses(object, live),
  ],
};
