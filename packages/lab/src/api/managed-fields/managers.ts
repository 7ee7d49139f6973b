import { formatTime } from '@ambient/kube/time';

import { isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import { FieldSet } from './field-set.ts';

/** How a manager writes: by applying, or by any other write. */
export type ManagerOperation = 'Apply' | 'Update';

/** Who writes. Appliers are the same whatever version they apply in. */
export interface ManagerId {
  readonly name: string;
  readonly operation: ManagerOperation;
  readonly apiVersion: string;
  /** Empty for the object itself. */
  readonly subresource: string;
}

/** A manager and what it owns: one entry of `metadata.managedFields`. */
export interface ManagerEntry {
  readonly id: ManagerId;
  readonly set: FieldSet;
  /** RFC 3339; when the set last grew. */
  readonly time: string | undefined;
}

/** All owners of an object's fields, by {@link managerKey}. */
export type Managers = Map<string, ManagerEntry>;

export function managerKey({ name, operation, apiVersion, subresource }: ManagerId): string {
  return JSON.stringify([name, operation, operation === 'Apply' ? '' : apiVersion, subresource]);
}

/** Reads `metadata.managedFields`; undefined if an entry is malformed, or there is none. */
export function readManagers(entries: unknown): Managers | undefined {
  if (!Array.isArray(entries) || entries.length === 0) return undefined;
  const managers: Managers = new Map();
  for (const entry of entries) {
    if (!isJsonObject(entry) || entry['fieldsType'] !== 'FieldsV1') return undefined;
    const { manager, operation, apiVersion, subresource, time } = entry;
    const set = FieldSet.fromFieldsV1(entry['fieldsV1'] ?? {});
    if (operation !== 'Apply' && operation !== 'Update') return undefined;
    if (typeof apiVersion !== 'string' || apiVersion === '' || set === undefined) return undefined;
    const id: ManagerId = {
      name: typeof manager === 'string' ? manager : '',
      operation,
      apiVersion,
      subresource: typeof subresource === 'string' ? subresource : '',
    };
    managers.set(managerKey(id), { id, set, time: typeof time === 'string' ? time : undefined });
  }
  return managers;
}

/** A request that says to forget all owners: an empty list, or one empty entry. */
export function isReset(entries: unknown): boolean {
  if (!Array.isArray(entries)) return false;
  return (
    entries.length === 0 ||
    (entries.length === 1 && isJsonObject(entries[0]) && Object.keys(entries[0]).length === 0)
  );
}

/** As `metadata.managedFields`: appliers first, then by time, name, version, subresource. */
export function writeManagers(managers: Managers): JsonObject[] {
  const rank = ({ id, time }: ManagerEntry): string[] => [
    id.operation,
    time ?? '',
    id.name,
    id.apiVersion,
    id.subresource,
  ];
  const inOrder = [...managers.values()].sort((a, b) => {
    const right = rank(b);
    for (const [i, left] of rank(a).entries()) if (left !== right[i]) return left < right[i]! ? -1 : 1;
    return 0;
  });
  return inOrder.map(({ id, set, time }) => ({
    manager: id.name,
    operation: id.operation,
    apiVersion: id.apiVersion,
    ...(time === undefined ? {} : { time }),
    fieldsType: 'FieldsV1',
    fieldsV1: set.toFieldsV1(),
    ...(id.subresource === '' ? {} : { subresource: id.subresource }),
  }));
}

/** An object may have this many entries of updates; the oldest are thrown together beyond. */
const maxUpdateManagers = 10;

/** Keeps the list short, as API servers do: the oldest updates become one entry, `ancient-changes`. */
export function capUpdates(managers: Managers, now: number): void {
  const updates = [...managers].filter(([, { id }]) => id.operation === 'Update');
  if (updates.length <= maxUpdateManagers) return;
  updates.sort(([, a], [, b]) => ((a.time ?? '') < (b.time ?? '') ? -1 : 1));
  for (const [key, entry] of updates.slice(0, updates.length - maxUpdateManagers + 1)) {
    managers.delete(key);
    const id: ManagerId = { ...entry.id, name: 'ancient-changes', subresource: '' };
    const ancient = managers.get(managerKey(id));
    const set = ancient === undefined ? entry.set : ancient.set.union(entry.set);
    managers.set(managerKey(id), { id, set, time: entry.time ?? formatTime(now) });
  }
}
