import { formatTime } from '@ambient/kube/time';

import { equalJson, isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import { FieldSet } from './field-set.ts';
import type { StructuralSchema } from '../schema/structural-schema.ts';
import { reportConflicts } from './conflicts.ts';
import type { ConflictReport } from './conflicts.ts';
import { forgiveClientSideApply, refreshLastApplied } from './last-applied.ts';
import { isReset, managerKey, readManagers, writeManagers } from './managers.ts';
import type { ManagerId, Managers } from './managers.ts';
import { merge } from './merge.ts';
import { neverOwned } from './never-owned.ts';
import { recordUpdate, takeFromOthers } from './ownership.ts';
import type { Write } from './ownership.ts';
import { removeFields } from './remove-fields.ts';
import { UnmergeableListError } from './shape.ts';
import { toFieldSet } from './to-field-set.ts';

interface WriteOptions {
  /** `fieldManager` of the request; empty: `unknown`. */
  readonly manager: string;
  /** Of the request, such as `apps/v1`. */
  readonly apiVersion: string;
  /** Undefined: nothing is known about the fields. */
  readonly schema: StructuralSchema | undefined;
  /** Such as `status`; empty for the object itself. */
  readonly subresource?: string;
  /** What this endpoint cannot change; see `resetFields`. */
  readonly reset?: FieldSet;
  /** Unix time in milliseconds. */
  readonly now: number;
}

export interface ApplyOptions extends WriteOptions {
  /** The object as it is; undefined if there is none yet. Not changed. */
  readonly live: JsonObject | undefined;
  /** What the manager wants, and all that it wants. Not changed. */
  readonly applied: JsonObject;
  /** Take fields from their owners instead of reporting conflicts. */
  readonly force: boolean;
}

export type ApplyResult = { readonly object: JsonObject } | { readonly conflicts: ConflictReport };

/** An apply request that cannot be carried out. The message goes to the client, with 400. */
export class ApplyRequestError extends Error {
  override readonly name = 'ApplyRequestError';
  readonly code = 'apply-request';
}

/**
 * Server-side apply (KEP-555, structured-merge-diff): lays the applied fields over the live object, removes what this
 * manager applied before and does not any more unless somebody else owns it, and records who owns what. The object in
 * the result shares parts with both arguments; nothing but ownership and these fields differs from the live one.
 *
 * @throws {ApplyRequestError} the applied object has managedFields, or lists that cannot be merged
 */
export function applyServerSide(options: ApplyOptions): ApplyResult {
  const { applied, schema } = options;
  const write = writeOf(options, 'Apply');
  if (isJsonObject(applied['metadata']) && applied['metadata']['managedFields'] !== undefined)
    throw new ApplyRequestError('metadata.managedFields must be nil');
  const live = withoutManagers(options.live ?? {});
  const managers = readManagers(managersOf(options.live)) ?? beforeFirstApply(live, write);
  const key = managerKey(write.id);
  const last = managers.get(key);

  const wanted = catchUnmergeable(applied, () => ({
    merged: (merge(live, applied, schema?.root) ?? {}) as JsonObject,
    set: toFieldSet(applied, schema?.root).withoutTrees(write.reset),
  }));
  managers.set(key, { id: write.id, set: wanted.set, time: last?.time });
  const merged = withdraw(wanted.merged, last?.set ?? FieldSet.empty, managers, schema);

  const { conflicts } = takeFromOthers(live, merged, managers, write, options.force);
  if (conflicts.length > 0 && !options.force) {
    const left = forgiveClientSideApply(conflicts, live, write);
    if (left.length > 0) return { conflicts: reportConflicts(left) };
    takeFromOthers(live, merged, managers, write, true);
  }
  const set = wanted.set.difference(neverOwned);
  if (set.isEmpty) managers.delete(key);
  else {
    const unchanged = last !== undefined && equalJson(live, merged) && sameSet(last.set, set);
    managers.set(key, { id: write.id, set, time: unchanged ? last.time : formatTime(write.now) });
  }
  return { object: withManagers(refreshLastApplied(merged, applied, write), managers) };
}

export interface TrackOptions extends WriteOptions {
  /** The object before; undefined for a new one. */
  readonly old: JsonObject | undefined;
  /** The object as it will be stored; its managedFields count if the client changed them. */
  readonly new: JsonObject;
}

/**
 * The `metadata.managedFields` of an object that was created, updated or patched: the writer takes what it changed.
 * Writers that restore the very same object own nothing new.
 */
export function trackUpdate(options: TrackOptions): JsonObject[] {
  const before = withoutManagers(options.old ?? {});
  const after = withoutManagers(options.new);
  const asked = (options.subresource ?? '') === '' ? managersOf(options.new) : undefined;
  if (isReset(asked)) return [];
  const managers: Managers =
    readManagers(asked) ?? readManagers(managersOf(options.old)) ?? new Map<string, never>();
  recordUpdate(before, after, managers, writeOf(options, 'Update'));
  return writeManagers(managers);
}

function writeOf(options: WriteOptions, operation: 'Apply' | 'Update'): Write {
  const { manager, apiVersion, schema, subresource = '', reset = FieldSet.empty, now } = options;
  const id: ManagerId = { name: manager === '' ? 'unknown' : manager, operation, apiVersion, subresource };
  return { id, schema, reset, now };
}

/** Fields of an object that nobody tracked belong to a manager of this name, so that appliers meet them. */
function beforeFirstApply(live: JsonObject, write: Write): Managers {
  const managers: Managers = new Map();
  const id: ManagerId = { ...write.id, name: 'before-first-apply', operation: 'Update', subresource: '' };
  recordUpdate({}, live, managers, { ...write, id });
  return managers;
}

/** Removes what the manager applied last time and not now, unless another manager owns it. */
function withdraw(
  merged: JsonObject,
  last: FieldSet,
  managers: Managers,
  schema: StructuralSchema | undefined,
): JsonObject {
  if (last.isEmpty) return merged;
  const node = schema?.root;
  const lastFields = last.withNamedParents(node);
  const present = toFieldSet(merged, node).withNamedParents(node);
  let owned = FieldSet.empty;
  for (const { set } of managers.values()) owned = owned.union(set);
  const pruned = toFieldSet(removeFields(merged, lastFields, node), node).withNamedParents(node);
  // Of what went with its parent, keep what somebody owns, and what this manager never applied.
  const kept = pruned.union(owned.withNamedParents(node));
  const gone = present.difference(kept).intersection(lastFields);
  return removeFields(merged, gone, node) as JsonObject;
}

function catchUnmergeable<T>(applied: JsonObject, work: () => T): T {
  try {
    return work();
  } catch (cause) {
    if (!(cause instanceof UnmergeableListError)) throw cause;
    throw new ApplyRequestError(
      `failed to create typed patch object (${nameOf(applied)}): ${cause.message}`,
      { cause },
    );
  }
}

function nameOf(object: JsonObject): string {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  const { namespace, name } = metadata;
  const apiVersion = typeof object['apiVersion'] === 'string' ? object['apiVersion'] : '';
  const kind = typeof object['kind'] === 'string' ? object['kind'] : '';
  return `${typeof namespace === 'string' ? namespace : ''}/${typeof name === 'string' ? name : ''}; ${apiVersion}, Kind=${kind}`;
}

function managersOf(object: JsonObject | undefined): unknown {
  const metadata = object?.['metadata'];
  return isJsonObject(metadata) ? metadata['managedFields'] : undefined;
}

function withoutManagers(object: JsonObject): JsonObject {
  const metadata = object['metadata'];
  if (!isJsonObject(metadata) || metadata['managedFields'] === undefined) return object;
  const { managedFields: _, ...rest } = metadata;
  return { ...object, metadata: rest };
}

function withManagers(object: JsonObject, managers: Managers): JsonObject {
  const metadata = isJsonObject(object['metadata']) ? object['metadata'] : {};
  return { ...object, metadata: { ...metadata, managedFields: writeManagers(managers) } };
}

function sameSet(a: FieldSet, b: FieldSet): boolean {
  return a.difference(b).isEmpty && b.difference(a).isEmpty;
}
