// Our part of a list that several controllers write, and that the API replaces as a whole: `status.parents` of a route.
import type { KubeObject, Route, RouteParentStatus } from '@ambient/kube';
import { isRecord } from '@ambient/kube';
import type { MeshParent } from '../translate/route-parent.ts';
import { parentKey, readMeshParent } from '../translate/route-parent.ts';
import { conditionsIn, sameCondition, withTimes } from './condition.ts';
import type { WantedCondition } from './condition.ts';

/** The controller of entries that are ours, where their parent is a service. Istio's name: clients look for it. */
const CONTROLLER = 'istio.io/gateway-controller';

/** The API refuses more (Gateway API, RouteStatus). */
const mostParents = 32;

/** How a route should stand at one parent. */
export interface WantedParent {
  readonly parent: MeshParent;
  readonly conditions: readonly WantedCondition[];
}

/** A list that is due to be written, and what it is made anew from where somebody else was faster. */
export interface ParentsUpdate {
  readonly wanted: readonly WantedParent[];
  /** Of the object that was judged: another one needs another judgement, which its change brings. */
  readonly uid: string;
  readonly generation: number | undefined;
  /** RFC 3339, to the second. */
  readonly now: string;
  readonly body: ParentsBody;
}

/** A merge patch of a route's status, good for one version of it. */
export interface ParentsBody {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string };
  readonly status: { readonly parents: readonly unknown[] };
}

/** What is to be written so that a route says what is wanted, or undefined if it does. */
export function parentsUpdate(
  route: Route,
  wanted: readonly WantedParent[],
  now: string,
): ParentsUpdate | undefined {
  const parents = mergedParents(route, wanted, now);
  if (parents === undefined) return undefined;
  const { uid, generation } = route.metadata;
  return { wanted, uid, generation, now, body: bodyOf(route, parents) };
}

/** The body for the route as it was read anew; undefined if it says already what is wanted, or has to be judged anew. */
export function reviseParents(update: ParentsUpdate, current: unknown): ParentsBody | undefined {
  if (!isRecord(current) || !isRecord(current['metadata'])) return undefined;
  const metadata = current['metadata'] as unknown as KubeObject['metadata'];
  if (metadata.uid !== update.uid || metadata.generation !== update.generation) return undefined;
  const { apiVersion, kind } = update.body;
  const route: Route = { ...current, apiVersion, kind, metadata };
  const parents = mergedParents(route, update.wanted, update.now);
  return parents === undefined ? undefined : bodyOf(route, parents);
}

function bodyOf({ apiVersion, kind, metadata }: Route, parents: readonly unknown[]): ParentsBody {
  const { name, namespace, resourceVersion = '' } = metadata;
  const known = { name, ...(namespace === undefined ? {} : { namespace }), resourceVersion };
  return { apiVersion, kind, metadata: known, status: { parents } };
}

/**
 * The whole list: entries of others as they stand, ours in their places, new ones behind them as far as there is room. An
 * entry of ours whose parent the route names no more is left out.
 *
 * @returns undefined if that is the list that stands there
 */
function mergedParents(
  route: Route,
  wanted: readonly WantedParent[],
  now: string,
): readonly unknown[] | undefined {
  const { namespace = '', generation } = route.metadata;
  const current = parentsOf(route);
  const due = new Map(wanted.map((each) => [parentKey(each.parent), each]));
  const entryOf = ({ parent, conditions }: WantedParent, before: Record<string, unknown>): unknown => {
    const standing = conditionsIn(before);
    const timed = withTimes(conditions, standing, generation, now);
    const stands =
      standing.length === timed.length &&
      timed.every((condition) => standing.some((each) => sameCondition(each, condition)));
    if (stands) return before;
    const entry: RouteParentStatus = {
      parentRef: parent.written,
      controllerName: CONTROLLER,
      conditions: timed,
    };
    return entry;
  };
  const kept = current.flatMap((entry) => {
    const parent = ownParent(entry, namespace);
    if (parent === undefined) return [entry];
    const key = parentKey(parent);
    const mine = due.get(key);
    due.delete(key);
    return mine === undefined ? [] : [entryOf(mine, entry as Record<string, unknown>)];
  });
  const room = Math.max(0, mostParents - kept.length);
  const parents = [...kept, ...[...due.values()].slice(0, room).map((each) => entryOf(each, {}))];
  const isCurrent = parents.length === current.length && parents.every((entry, i) => entry === current[i]);
  return isCurrent ? undefined : parents;
}

function parentsOf(route: Route): readonly unknown[] {
  const status: unknown = route.status;
  const parents = isRecord(status) ? status['parents'] : undefined;
  return Array.isArray(parents) ? (parents as unknown[]) : [];
}

/** The service that an entry of ours is about; undefined for an entry of another controller, and for one of a Gateway. */
function ownParent(entry: unknown, routeNamespace: string): MeshParent | undefined {
  if (!isRecord(entry) || entry['controllerName'] !== CONTROLLER) return undefined;
  return readMeshParent(entry['parentRef'], routeNamespace);
}
