import { readFile } from 'node:fs/promises';

import { parseAllDocuments } from 'yaml';

import { ApiError, badRequest } from './errors.ts';
import { cloneJson, isJsonObject } from './object.ts';
import type { ApiObject, JsonObject } from './object.ts';
import { deleteOptions } from './operations/delete-options.ts';
import type { ObjectOperations } from './operations/objects.ts';
import { ownContext } from './operations/request.ts';
import type { Target } from './operations/request.ts';
import type { ResourceRegistry } from './resources/registry.ts';

/** The documents of a YAML file, empty ones left out; Lists are taken apart. */
export async function readManifests(path: string): Promise<JsonObject[]> {
  const documents = parseAllDocuments(await readFile(path, 'utf8'), { logLevel: 'error' });
  return documents.flatMap((document) => {
    if ('errors' in document && document.errors.length > 0)
      throw badRequest(`${path}: ${document.errors[0]!.message}`, document.errors[0]);
    const value = document.toJS() as unknown;
    if (!isJsonObject(value)) return [];
    return Array.isArray(value['items']) && String(value['kind']).endsWith('List')
      ? value['items'].filter(isJsonObject)
      : [value];
  });
}

/**
 * Creates objects as clients would, one after the other: each goes through the checks, defaults and webhooks of the API.
 * A status that an object brings is written after it, as only its subresource can; an object that has a
 * deletionTimestamp is created and deleted, and stays as long as its finalizers hold it; one that is there already is
 * replaced. A creationTimestamp counts, although clients cannot set it: what depends on ages can be loaded at once.
 *
 * @throws ApiError for the first object that is refused
 */
export async function loadObjects(
  objects: Iterable<JsonObject>,
  registry: ResourceRegistry,
  operations: ObjectOperations,
): Promise<ApiObject[]> {
  const stored: ApiObject[] = [];
  for (const object of objects) stored.push(await loadObject(cloneJson(object), registry, operations));
  return stored;
}

async function loadObject(
  object: JsonObject,
  registry: ResourceRegistry,
  operations: ObjectOperations,
): Promise<ApiObject> {
  const context = { ...ownContext(), fieldValidation: 'Strict' as const, keepsAge: true };
  const served = registry.findKind(String(object['apiVersion']), String(object['kind']));
  if (served === undefined)
    throw badRequest(
      `no matches for kind "${String(object['kind'])}" in version "${String(object['apiVersion'])}"; load its CustomResourceDefinition first`,
    );
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const namespace = served.resource.namespaced ? namespaceOf(metadata) : undefined;
  const collection: Target = { ...served, namespace, name: undefined, subresource: undefined };
  const name = typeof metadata['name'] === 'string' ? metadata['name'] : undefined;
  const status = object['status'];
  let result: ApiObject;
  try {
    result = await operations.create(collection, object, context);
  } catch (error) {
    if (!(error instanceof ApiError) || error.reason !== 'AlreadyExists' || name === undefined) throw error;
    result = await operations.change(
      { ...collection, name },
      (live) =>
        ({
          ...object,
          metadata: { ...metadata, resourceVersion: live.metadata.resourceVersion },
        }) as unknown as ApiObject,
      context,
    );
  }
  const target: Target = { ...collection, name: result.metadata.name };
  if (isJsonObject(status) && served.version.status)
    result = await operations.change(
      { ...target, subresource: 'status' },
      (live) => ({ ...live, status: { ...(isJsonObject(live['status']) ? live['status'] : {}), ...status } }),
      context,
    );
  if (metadata['deletionTimestamp'] === undefined) return result;
  return (await operations.delete(target, deleteOptions(undefined, new URLSearchParams()), context)).object;
}

function namespaceOf(metadata: JsonObject): string {
  const { namespace } = metadata;
  return typeof namespace === 'string' && namespace !== '' ? namespace : 'default';
}
