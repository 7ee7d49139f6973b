/** What controllers want to know of a pod. Pure. */
import type { Condition, KubeObject, Pod } from '../objects.ts';

export function conditionOf<C extends Condition>(
  conditions: readonly C[] | undefined,
  type: string,
): C | undefined {
  return conditions?.find((each) => each.type === type);
}

export function isReady(pod: Pod): boolean {
  return conditionOf(pod.status?.conditions, 'Ready')?.status === 'True';
}

/** Ended for good. */
export function isFinished(pod: Pod): boolean {
  return pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed';
}

export function isTerminating({ metadata }: Pick<KubeObject, 'metadata'>): boolean {
  return metadata.deletionTimestamp !== undefined;
}

/** Counts as one of the pods that its owner wants. */
export function isActive(pod: Pod): boolean {
  return !isFinished(pod) && !isTerminating(pod);
}

/**
 * How long until a pod counts as available, milliseconds: 0 if it does, undefined if it is not ready. Times in objects are whole
 * seconds, so that the first second may be up to one shorter.
 *
 * @param minReadySeconds how long it has to be ready for
 */
export function availableInMs(pod: Pod, minReadySeconds: number, nowMs: number): number | undefined {
  const ready = conditionOf(pod.status?.conditions, 'Ready');
  if (ready?.status !== 'True' || isTerminating(pod)) return undefined;
  if (minReadySeconds === 0) return 0;
  const sinceMs = Date.parse(ready.lastTransitionTime ?? '');
  if (Number.isNaN(sinceMs)) return undefined;
  return Math.max(0, sinceMs + minReadySeconds * 1000 - nowMs);
}

/** Of several delays the shortest that is not over. */
export function soonest(delays: readonly (number | undefined)[]): number | undefined {
  const later = delays.filter((each): each is number => each !== undefined && each > 0);
  return later.length === 0 ? undefined : Math.min(...later);
}

export function createdMs({ metadata }: Pick<KubeObject, 'metadata'>): number {
  const time = Date.parse(metadata.creationTimestamp ?? '');
  return Number.isNaN(time) ? 0 : time;
}

/** Older first, by name among those of the same second. */
export function byAge(a: Pick<KubeObject, 'metadata'>, b: Pick<KubeObject, 'metadata'>): number {
  return createdMs(a) - createdMs(b) || (a.metadata.name < b.metadata.name ? -1 : 1);
}

export function restarts(pod: Pod): number {
  return (pod.status?.containerStatuses ?? []).reduce((sum, { restartCount = 0 }) => sum + restartCount, 0);
}
