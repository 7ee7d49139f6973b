/** In which form a client wants objects: as they are, as rows of a table, or their metadata alone. */
import { notAcceptable } from '../errors.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import { encodeObject, encodeWatchEvent, protobufType } from '../protobuf/envelope.ts';
import { messageOfKind } from '../protobuf/kinds.ts';
import { apiVersionOf } from '../resources/resource.ts';
import type { Target } from '../operations/request.ts';

export interface Representation {
  /** The same for all requests that get the same bytes. */
  readonly id: string;
  readonly contentType: string;
  object(object: ApiObject, target: Target): JsonObject;
  /** @param metadata of the list: resourceVersion, continue, remainingItemCount */
  list(items: readonly ApiObject[], metadata: JsonObject, target: Target): JsonObject;
  encode(value: JsonObject): string | Buffer;
  /** The content type of a watch. */
  readonly streamType: string;
  /** An event of a watch, with what parts it from the next. */
  encodeEvent(type: string, value: JsonObject): string | Buffer;
}

/** Objects as text; an event is a line. */
const json = {
  encode: (value: JsonObject) => `${JSON.stringify(value)}\n`,
  encodeEvent: (type: string, object: JsonObject) => `${JSON.stringify({ type, object })}\n`,
};

/** The object in the version that was asked for. */
function inVersion(object: ApiObject, target: Target): ApiObject {
  const apiVersion = apiVersionOf(target.resource.group, target.version.name);
  if (object.apiVersion === apiVersion) return object;
  const { conversion } = target.version;
  return { ...(conversion === undefined ? object : conversion.fromStored(object)), apiVersion };
}

/** The list says what the items of a built-in kind are; those of custom resources say it themselves. */
function listed(item: ApiObject, target: Target): JsonObject {
  if (target.resource.custom) return item;
  const { apiVersion: _, kind: __, ...rest } = item;
  return rest;
}

export const asObjects: Representation = {
  id: 'object',
  contentType: 'application/json',
  streamType: 'application/json;stream=watch',
  ...json,
  object: inVersion,
  list: (items, metadata, target) => ({
    kind: target.resource.listKind,
    apiVersion: apiVersionOf(target.resource.group, target.version.name),
    metadata,
    items: items.map((item) => listed(inVersion(item, target), target)),
  }),
};

/** For clients that speak nothing else. */
const asProtobuf: Representation = {
  ...asObjects,
  id: 'protobuf',
  contentType: protobufType,
  streamType: `${protobufType};stream=watch`,
  encode: encodeObject,
  encodeEvent: encodeWatchEvent,
};

function partial(object: ApiObject): JsonObject {
  return { kind: 'PartialObjectMetadata', apiVersion: 'meta.k8s.io/v1', metadata: object.metadata };
}

const asMetadata: Representation = {
  id: 'metadata',
  contentType: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1',
  streamType: 'application/json;as=PartialObjectMetadata;g=meta.k8s.io;v=v1;stream=watch',
  ...json,
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
  const contentType = `application/json;as=Table;g=meta.k8s.io;v=${version}`;
  return {
    id: `table-${version}-${include}`,
    contentType,
    streamType: `${contentType};stream=watch`,
    ...json,
    object: (object, target) =>
      table([object], { resourceVersion: object.metadata.resourceVersion ?? '' }, target),
    list: table,
  };
}

/**
 * The first form of an Accept header that is spoken here. JSON goes before protocol buffers wherever it stands, since
 * that is how objects are kept.
 *
 * @throws ApiError 406 if the client reads nothing that is spoken
 */
export function negotiate(
  accept: string,
  query: URLSearchParams,
  target: Target,
  printTable: TablePrinter,
): Representation {
  let fallback: Representation | undefined;
  for (const part of accept === '' ? ['*/*'] : accept.split(',')) {
    const [type = '', ...parameters] = part.split(';').map((each) => each.trim());
    const values = new Map(parameters.map((each) => each.split('=', 2) as [string, string]));
    const as = values.get('as');
    if (type === protobufType && as === undefined) {
      const { resource, version } = target;
      if (messageOfKind(apiVersionOf(resource.group, version.name), resource.kind) !== undefined)
        fallback = asProtobuf;
    }
    if (type !== 'application/json' && type !== 'application/*' && type !== '*/*') continue;
    if (as === undefined) return asObjects;
    if (values.get('g') !== 'meta.k8s.io') continue;
    if (as === 'PartialObjectMetadata' || as === 'PartialObjectMetadataList') return asMetadata;
    const version = values.get('v');
    if (as === 'Table' && (version === 'v1' || version === 'v1beta1')) {
      const include = query.get('includeObject');
      return asTable(printTable, version, include === 'None' || include === 'Object' ? include : 'Metadata');
    }
  }
  if (fallback === undefined) throw notAcceptable(['application/json', protobufType]);
  return fallback;
}
