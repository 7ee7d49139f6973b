import { badRequest, expired } from '../errors.ts';
import type { ApiObject } from '../object.ts';
import { keyRange, lowerBound, objectKey } from '../storage/object-table.ts';
import type { ObjectStore } from '../storage/object-store.ts';
import type { TableSnapshot } from '../storage/object-table.ts';
import type { ListOptions } from './list-options.ts';
import { targetKey } from './request.ts';
import type { Target } from './request.ts';

/** One page of a list. */
export interface ListPage {
  readonly resourceVersion: string;
  /** Empty on the last page. */
  readonly continueToken: string;
  readonly remaining: number | undefined;
  readonly items: readonly ApiObject[];
}

interface PageCursor {
  /** resourceVersion of the snapshot. */
  readonly rv: number;
  /** resourceVersion that the first page named; every page names the same. */
  readonly listed: number;
  /** The last key of the page before. */
  readonly after: string;
}

/**
 * Lists the objects of a target as of one moment; the later pages are cut from what the first one saw.
 *
 * @throws ApiError 410 if that moment is forgotten, 400 for a token that this API did not make
 */
export function listObjects(store: ObjectStore, target: Target, options: ListOptions): ListPage {
  const table = store.table(targetKey(target));
  const { selector, limit } = options;
  if (options.name !== undefined && target.namespace !== undefined && options.continueToken === '') {
    const found = table.get(objectKey(target.namespace, options.name));
    const items = found !== undefined && (selector?.(found) ?? true) ? [found] : [];
    return { resourceVersion: String(store.resourceVersion), continueToken: '', remaining: undefined, items };
  }

  const cursor = options.continueToken === '' ? undefined : parseCursor(options.continueToken);
  const snapshot: TableSnapshot | undefined =
    cursor === undefined ? table.snapshot(store.resourceVersion) : table.snapshotAt(cursor.rv);
  if (snapshot === undefined)
    throw expired(
      'The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue parameter.',
    );
  const [from, to] =
    target.namespace === undefined ? [0, snapshot.keys.length] : keyRange(snapshot.keys, target.namespace);
  let index = cursor === undefined ? from : Math.max(from, lowerBound(snapshot.keys, `${cursor.after}\0`));

  const items: ApiObject[] = [];
  for (; index < to; index++) {
    const object = snapshot.objects[index]!;
    if (selector !== undefined && !selector(object)) continue;
    if (limit > 0 && items.length === limit) break;
    items.push(object);
  }
  const more = index < to;
  const listed = cursor?.listed ?? store.resourceVersion;
  const last = items.at(-1);
  return {
    resourceVersion: String(listed),
    continueToken:
      more && last !== undefined
        ? formatCursor({
            rv: snapshot.resourceVersion,
            listed,
            after: objectKey(last.metadata.namespace, last.metadata.name),
          })
        : '',
    // With a selector, nobody knows without looking.
    remaining: more && selector === undefined ? to - index : undefined,
    items,
  };
}

function formatCursor(cursor: PageCursor): string {
  return Buffer.from(JSON.stringify({ v: 'lab.ambient/v1', ...cursor })).toString('base64url');
}

function parseCursor(token: string): PageCursor {
  try {
    const { rv, listed, after } = JSON.parse(
      Buffer.from(token, 'base64url').toString(),
    ) as Partial<PageCursor>;
    if (typeof rv === 'number' && typeof listed === 'number' && typeof after === 'string')
      return { rv, listed, after };
  } catch (error) {
    throw badRequest(`continue key is not valid: ${token.slice(0, 100)}`, error);
  }
  throw badRequest(`continue key is not valid: ${token.slice(0, 100)}`);
}
