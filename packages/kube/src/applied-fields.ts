import { isRecord } from './errors.ts';

/**
 * Whether an object already says everything that an apply would make it say, so that nothing has to be written. Lists of
 * entries with a `type` (conditions) are compared by type, as the API merges them; other lists as a whole. When a condition's
 * transition happened is not compared: it is only meant to change with the condition's status.
 */
export function alreadySays(observed: unknown, applied: unknown): boolean {
  if (Array.isArray(applied)) {
    if (!Array.isArray(observed)) return false;
    if (applied.length > 0 && applied.every(isTyped))
      return applied.every((entry) => {
        const same = (observed as unknown[]).find((other) => isTyped(other) && other.type === entry.type);
        return same !== undefined && alreadySays(same, entry);
      });
    return observed.length === applied.length && applied.every((entry, i) => alreadySays(observed[i], entry));
  }
  if (!isRecord(applied)) return observed === applied;
  if (!isRecord(observed)) return false;
  const typed = isTyped(applied);
  return Object.entries(applied).every(
    ([name, value]) => (typed && name === 'lastTransitionTime') || alreadySays(observed[name], value),
  );
}

function isTyped(value: unknown): value is { readonly type: string } {
  return isRecord(value) && typeof value['type'] === 'string';
}
