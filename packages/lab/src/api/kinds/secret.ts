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
  prepareCreate: takeStringData,
  prepareUpdate: takeStringData,
  validate: (object, live) => [
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

export const configMapStrategy: KindStrategy = { validate: immutableCauses };
