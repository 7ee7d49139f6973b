/** In which form a client wants objects: as they are, as rows of a table, or their metadata alone. */
import type { ApiObject, JsonObject } from '../object.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { Target } from '../operations/request.ts';

export interface Representation {
  /** The same for all requests that get the same bytes. */
  readonly id: string;
  readonly contentType: string;
  object(object: ApiObject, target: Target): JsonObject;
  /** @param metadata of the list: resourceVersion, continue, remainingItemCount */
  list(items: readonly ApiObject[], metadata: JsonObject, target: Target): JsonObject;
}

/** The object in the version that was asked for; all versions of a resource have the same fields. */
export function inVersion(object: ApiObject, target: Target): ApiObject {
  const apiVersion = apiVersionOf(target.resource.group, target.version.name);
  return object.apiVersion === apiVersion ? object : { ...object, apiVersion };
}

export const asObjects: Representation = {
  id: 'object',
  contentType: 'application/json',
  object: inVersion,
  list: (items, metadata, target) => ({
    kind: target.resource.listKind,
    apiVersion: apiVersionOf(target.resource.group, target.version.name),
    metadata,
    items: items.map((item) => inVersion(item, target)),
  }),
};

function partial(object: ApiObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

export const asMetadata: Representation = {
  id: 'metadata',
  contentType: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  object: partial,
  list: (items, metadata) => ({
    kind: 'PartialObjectMetadataList',
    apiVersion: 'meta.k8s.io/v1',
    metadata,
    items: items.map(partial),
  }),
};

export type IncludeObject = 'None' | 'Metadata' | 'Object';

/** Makes the table of some objects. */
export type TablePrinter = (
  items: readonly ApiObject[],
  metadata: JsonObject,
  target: Target,
  include: IncludeObject,
) => JsonObject;

function asTable(print: TablePrinter, version: string, include: IncludeObject): Representation {
  const table = (items: readonly ApiObject[], metadata: JsonObject, target: Target): JsonObject => ({
    kind: 'Table',
    apiVersion: `meta.k8s.io/${version}`,
    ...print(items, metadata, target, include),
  });
  return {
    id: `table-${version}-${include}`,
    contentType: `application/json;as=Table;g=meta.k8s.io;v=${version}`,
    object: (object, target) =>
      table([object], { resourceVersion: object.metadata.resourceVersion ?? '' }, target),
    list: table,
  };
}

/**
 * The first form of an Accept header that is spoken here; objects, if there is none, as most clients can read those.
 *
 */
export function negotiate(accept: string, query: URLSearchParams, printTable: TablePrinter): Representation {
  for (const part of accept.split(',')) {
    const parameters = new Map(
      part
        .split(';')
        .slice(1)
        .map((each) => each.trim().split('=', 2) as [string, string]),
    );
    if (part.split(';')[0]!.trim() !== 'application/json') continue;
    const as = parameters.get('as');
    if (as === undefined) return asObjects;
    if (parameters.get('g') !== 'meta.k8s.io') continue;
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return asMetadata;
    const version = parameters.get('v');
    if (as === 'Table' && (version === 'v1' || version === 'v1beta1')) {
      const include = query.get('includeObject');
      return asTable(printTable, version, include === 'None' || include === 'Object' ? include : 'Metadata');
    }
  }
  return asObjects;
}
