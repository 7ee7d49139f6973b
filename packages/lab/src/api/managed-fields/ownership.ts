import { formatTime } from '@ambient/kube/time';

import type { StructuralSchema } from '../schema/structural-schema.ts';
import type { JsonObject } from '../object.ts';
import { compare, mapComparison } from './compare.ts';
import type { Comparison } from './compare.ts';
import type { Conflict } from './conflicts.ts';
import { FieldSet } from './field-set.ts';
import { capUpdates, managerKey } from './managers.ts';
import type { ManagerId, Managers } from './managers.ts';
import { neverOwned } from './never-owned.ts';

/** One write, as ownership sees it. */
export interface Write {
  readonly id: ManagerId;
  readonly schema: StructuralSchema | undefined;
  /** Fields that this endpoint leaves alone. */
  readonly reset: FieldSet;
  /** Unix time in milliseconds. */
  readonly now: number;
}

/** Who loses what because an object changed, and which of that a careful applier would call a conflict. */
export interface Losses {
  readonly conflicts: readonly Conflict[];
  readonly comparison: Comparison;
}

/**
 * Takes from every other manager what a change touches. Changed and added fields that others own are the conflicts.
 * `managers` is changed only where there are none, or `force` is set.
 */
export function takeFromOthers(
  before: JsonObject,
  after: JsonObject,
  managers: Managers,
  write: Write,
  force: boolean,
): Losses {
  const own = managerKey(write.id);
  const comparison = mapComparison(compare(before, after, write.schema?.root), (set) =>
    set.withoutTrees(write.reset),
  );
  const touched = comparison.modified.union(comparison.added);
  const conflicts: Conflict[] = [];
  const left: [string, FieldSet][] = [];
  for (const [key, entry] of managers) {
    if (key === own) continue;
    const taken = entry.set.intersection(touched);
    for (const path of taken.paths()) conflicts.push({ owner: entry, path });
    left.push([key, entry.set.difference(taken).difference(comparison.removed)]);
  }
  if (conflicts.length > 0 && !force) return { conflicts, comparison };
  for (const [key, set] of left)
    if (set.isEmpty) managers.delete(key);
    else managers.set(key, { ...managers.get(key)!, set });
  return { conflicts, comparison };
}

/** Records an update: the writer owns all that it added or changed, besides what it owned before. */
export function recordUpdate(before: JsonObject, after: JsonObject, managers: Managers, write: Write): void {
  const key = managerKey(write.id);
  // The writer's own entry takes part like any other, so that what it removes leaves it.
  const { comparison } = takeFromOthers(before, after, managers, { ...write, id: nobody }, true);
  const taken = comparison.modified.union(comparison.added).difference(neverOwned);
  if (taken.isEmpty) return;
  const set = (managers.get(key)?.set ?? FieldSet.empty).union(taken);
  managers.set(key, { id: write.id, set, time: formatTime(write.now) });
  capUpdates(managers, write.now);
}

const nobody: ManagerId = { name: '', operation: 'Update', apiVersion: '-', subresource: '-' };
