/** The checks that every object passes on its way in. */
import { badRequest, invalid } from '../errors.ts';
import type { StatusCause } from '../errors.ts';
import { isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { RequestContext, Target } from './request.ts';

/**
 * Takes a body for an object of the target, which it must name.
 *
 * @throws ApiError 400 for anything that is no such object
 */
export function readObject(body: unknown, target: Target): ApiObject {
  const { resource, version } = target;
  if (!isJsonObject(body)) throw badRequest('the body of the request is not a JSON object');
  const apiVersion = apiVersionOf(resource.group, version.name);
  const given = body['apiVersion'] ?? apiVersion;
  const kind = body['kind'] ?? resource.kind;
  if (given !== apiVersion || kind !== resource.kind)
    throw badRequest(
      `the API version in the data (${JSON.stringify(given)}, Kind=${JSON.stringify(kind)}) does not match the expected API version (${apiVersion}, Kind=${resource.kind})`,
    );
  const metadata = body['metadata'] ?? {};
  if (!isJsonObject(metadata)) throw badRequest('metadata: Invalid value: must be an object');
  const problem = metadataTypeProblem(metadata);
  if (problem !== undefined)
    throw badRequest(
      `${resource.kind} in version "${version.name}" cannot be handled as a ${resource.kind}: ${problem}`,
    );
  const object = { ...body, apiVersion, kind: resource.kind, metadata: { ...metadata } } as ApiObject;
  return version.conversion === undefined ? object : version.conversion.toStored(object);
}

const textFields = ['name', 'namespace', 'generateName', 'uid', 'resourceVersion'];

/** The server reads metadata itself, so that a wrong type there would be its own error. */
function metadataTypeProblem(metadata: JsonObject): string | undefined {
  for (const field of textFields) {
    const value = metadata[field];
    if (value === null) delete metadata[field];
    else if (value !== undefined && typeof value !== 'string') return `metadata.${field}: must be a string`;
  }
  for (const field of ['labels', 'annotations']) {
    const value = metadata[field];
    if (value === null) delete metadata[field];
    else if (
      value !== undefined &&
      (!isJsonObject(value) || Object.values(value).some((each) => typeof each !== 'string'))
    )
      return `metadata.${field}: must be a map of strings to strings`;
  }
  for (const field of ['finalizers', 'ownerReferences', 'managedFields']) {
    const value = metadata[field];
    if (value === null) delete metadata[field];
    else if (value !== undefined && !Array.isArray(value)) return `metadata.${field}: must be a list`;
  }
  const finalizers = metadata['finalizers'] as unknown[] | undefined;
  if (finalizers?.some((each) => typeof each !== 'string') === true)
    return 'metadata.finalizers: must be a list of strings';
  for (const field of ['ownerReferences', 'managedFields'])
    if ((metadata[field] as unknown[] | undefined)?.some((each) => !isJsonObject(each)) === true)
      return `metadata.${field}: must be a list of objects`;
  return undefined;
}

/**
 * Removes fields that the schema does not know, and says so as the client wished; fills in defaults.
 *
 * @throws ApiError 400 under strict field validation
 */
export function conform(object: ApiObject, target: Target, context: RequestContext): void {
  const { schema, name: version } = target.version;
  if (schema === undefined) return;
  const unknown = schema.prune(object);
  if (unknown.length > 0 && context.fieldValidation === 'Strict')
    throw badRequest(
      `${target.resource.kind} in version "${version}" cannot be handled as a ${target.resource.kind}: strict decoding error: ${unknown.map((path) => `unknown field "${path}"`).join(', ')}`,
    );
  if (context.fieldValidation === 'Warn')
    for (const path of unknown) context.warnings.push(`unknown field "${path}"`);
  schema.applyDefaults(object);
}

const nameSegment = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?$/;
const subdomain = /^[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*$/;
const label63 = ['services.', 'namespaces.'];
const qualifiedName = /^([a-z0-9]([-a-z0-9.]*[a-z0-9])?\/)?([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)$/;
const labelValue = /^([A-Za-z0-9]([-A-Za-z0-9_.]*[A-Za-z0-9])?)?$/;

const subdomainRule =
  "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?(\\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*')";
const labelRule =
  "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is '[a-z0-9]([-a-z0-9]*[a-z0-9])?')";

const qualifiedNameRule =
  "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is '([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]')";

function isQualifiedName(key: string): boolean {
  return qualifiedName.test(key) && (key.split('/').at(-1)?.length ?? 0) <= 63;
}

/** Names, labels and annotations, which are alike for all kinds. */
function metadataCauses(object: ApiObject, target: Target): StatusCause[] {
  const { name, labels, annotations } = object.metadata;
  const causes: StatusCause[] = [];
  const bad = (field: string, value: unknown, message: string): void => {
    causes.push({
      reason: 'FieldValueInvalid',
      field,
      message: `Invalid value: ${JSON.stringify(value)}: ${message}`,
    });
  };
  const key = `${target.resource.plural}.${target.resource.group}`;
  if (target.resource.group === 'rbac.authorization.k8s.io') {
    if (name === '.' || name === '..' || /[/%]/.test(name))
      bad('metadata.name', name, "may not contain '/' or '%'");
  } else if (label63.includes(key)) {
    if (!nameSegment.test(name)) bad('metadata.name', name, labelRule);
    else if (name.length > 63) bad('metadata.name', name, 'must be no more than 63 bytes');
  } else if (!subdomain.test(name)) bad('metadata.name', name, subdomainRule);
  else if (name.length > 253) bad('metadata.name', name, 'must be no more than 253 bytes');

  for (const key of Object.keys(annotations ?? {}))
    if (!isQualifiedName(key.toLowerCase())) bad('metadata.annotations', key, qualifiedNameRule);
  for (const [label, value] of Object.entries(labels ?? {})) {
    if (!isQualifiedName(label)) bad('metadata.labels', label, qualifiedNameRule);
    if (!labelValue.test(value) || value.length > 63)
      bad(
        'metadata.labels',
        value,
        "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used for validation is '(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?')",
      );
  }
  for (const owner of object.metadata.ownerReferences ?? [])
    for (const field of ['apiVersion', 'kind', 'name', 'uid'] as const)
      if (typeof owner[field] !== 'string' || owner[field] === '')
        causes.push({
          reason: 'FieldValueInvalid',
          field: `metadata.ownerReferences.${field}`,
          message: `Invalid value: "": ${field} must not be empty`,
        });
  return causes;
}

/** @throws ApiError 422 with every problem of the schema and of the metadata */
export function checkObject(
  object: ApiObject,
  live: ApiObject | undefined,
  target: Target,
  further: readonly StatusCause[] = [],
): void {
  const problems = target.version.schema?.validate(object, live) ?? [];
  const wrongType = problems.find(({ type }) => type === 'FieldValueTypeInvalid');
  // What is no value of its type at all never becomes an object of a built-in kind.
  if (wrongType !== undefined && !target.resource.custom)
    throw badRequest(
      `${target.resource.kind} in version "${target.version.name}" cannot be handled as a ${target.resource.kind}: ${wrongType.path}: ${wrongType.message}`,
    );
  const causes = [
    ...metadataCauses(object, target),
    ...problems.map((problem) => ({
      reason: problem.type,
      message: problem.message,
      field: problem.path,
    })),
    ...further,
  ];
  if (causes.length > 0)
    throw invalid(target.resource.kind, target.resource.group, object.metadata.name, causes);
}
