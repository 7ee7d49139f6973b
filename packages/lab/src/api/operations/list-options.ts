import { badRequest } from '../errors.ts';
import { storageKey } from '../resources/resource.ts';
import type { Resource } from '../resources/resource.ts';
import { parseFieldSelector, parseLabelSelector, pinnedName } from '../storage/selectors.ts';
import type { Selector } from '../storage/selectors.ts';

/** metav1.ListOptions of lists, watches and collections to delete. */
export interface ListOptions {
  /** Undefined: everything. */
  readonly selector: Selector | undefined;
  /** The one name that can match, from `metadata.name=x`. */
  readonly name: string | undefined;
  readonly limit: number;
  readonly continueToken: string;
  /** As sent; empty: the newest. */
  readonly resourceVersion: string;
  readonly resourceVersionMatch: string;
  readonly allowWatchBookmarks: boolean;
  readonly sendInitialEvents: boolean;
  readonly timeoutSeconds: number | undefined;
}

/** @throws ApiError 400 */
export function listOptions(resource: Resource, query: URLSearchParams): ListOptions {
  const fieldText = query.get('fieldSelector') ?? '';
  const labels = parseLabelSelector(query.get('labelSelector') ?? '');
  const fields = parseFieldSelector(fieldText, storageKey(resource), resource.selectableFields);
  const resourceVersion = query.get('resourceVersion') ?? '';
  if (!/^\d*$/.test(resourceVersion))
    throw badRequest(
      `Invalid value: "${resourceVersion}": resourceVersion must be a number that this API gave out`,
    );
  return {
    selector:
      labels === undefined
        ? fields
        : fields === undefined
          ? labels
          : (object) => labels(object) && fields(object),
    name: pinnedName(fieldText),
    limit: wholeNumber(query, 'limit') ?? 0,
    continueToken: query.get('continue') ?? '',
    resourceVersion,
    resourceVersionMatch: query.get('resourceVersionMatch') ?? '',
    allowWatchBookmarks: isTrue(query.get('allowWatchBookmarks')),
    sendInitialEvents: isTrue(query.get('sendInitialEvents')),
    timeoutSeconds: wholeNumber(query, 'timeoutSeconds'),
  };
}

export function isTrue(value: string | null): boolean {
  return value === 'true' || value === '1';
}

function wholeNumber(query: URLSearchParams, name: string): number | undefined {
  const text = query.get(name);
  if (text === null || text === '') return undefined;
  if (!/^\d{1,15}$/.test(text)) throw badRequest(`Invalid value for query parameter ${name}: "${text}"`);
  return Number(text);
}
