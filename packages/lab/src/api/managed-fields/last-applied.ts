import { isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import { compare } from './compare.ts';
import type { Conflict } from './conflicts.ts';
import type { FieldSet } from './field-set.ts';
import type { Write } from './ownership.ts';
import { UnmergeableListError } from './shape.ts';
import { toFieldSet } from './to-field-set.ts';

const annotation = 'kubectl.kubernetes.io/last-applied-configuration';

/** kubectl's own name as an applier; others keep out of its annotation. */
const kubectl = 'kubectl';

/**
 * Conflicts that stand in the way of kubectl although the fields are as kubectl itself last applied them on the client's
 * side are none: this is how objects move from one kind of apply to the other.
 * @returns the conflicts that remain
 */
export function forgiveClientSideApply(
  conflicts: readonly Conflict[],
  live: JsonObject,
  write: Write,
): readonly Conflict[] {
  if (write.id.name !== kubectl) return conflicts;
  const ours = lastAppliedFields(live, write);
  return ours === undefined ? conflicts : conflicts.filter(({ path }) => !ours.has(path));
}

function lastAppliedFields(live: JsonObject, write: Write): FieldSet | undefined {
  const text = annotationOf(live);
  if (text === undefined) return undefined;
  let applied: unknown;
  try {
    applied = JSON.parse(text);
  } catch {
    return undefined; // somebody wrote it by hand: it forgives nothing
  }
  if (!isJsonObject(applied) || applied['apiVersion'] !== write.id.apiVersion) return undefined;
  try {
    const { added, removed, modified } = compare(applied, live, write.schema?.root);
    return toFieldSet(applied, write.schema?.root).difference(modified).difference(added).difference(removed);
  } catch (error) {
    if (error instanceof UnmergeableListError) return undefined;
    throw error;
  }
}

/** Keeps kubectl's annotation up with what it applies, where there is one, for those who still apply the old way. */
export function refreshLastApplied(object: JsonObject, applied: JsonObject, write: Write): JsonObject {
  if (write.id.name !== kubectl || write.id.subresource !== '' || annotationOf(object) === undefined)
    return object;
  const metadata = object['metadata'] as JsonObject;
  const annotations = { ...(metadata['annotations'] as JsonObject), [annotation]: lastAppliedText(applied) };
  return { ...object, metadata: { ...metadata, annotations } };
}

function lastAppliedText(applied: JsonObject): string {
  const metadata = isJsonObject(applied['metadata']) ? applied['metadata'] : {};
  const { [annotation]: _, ...annotations } = isJsonObject(metadata['annotations'])
    ? metadata['annotations']
    : {};
  const rest = { ...metadata, ...(metadata['annotations'] === undefined ? {} : { annotations }) };
  return `${JSON.stringify({ ...applied, metadata: rest })}\n`;
}

function annotationOf(object: JsonObject): string | undefined {
  const metadata = object['metadata'];
  const annotations = isJsonObject(metadata) ? metadata['annotations'] : undefined;
  const text = isJsonObject(annotations) ? annotations[annotation] : undefined;
  return typeof text === 'string' && text !== '' ? text : undefined;
}
