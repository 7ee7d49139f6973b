/** How `kubectl get pods` tells the state of a pod. */
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import { age } from './column.ts';

function listAt(object: unknown, ...path: string[]): JsonObject[] {
  const value = valueAt(object, path);
  return Array.isArray(value) ? value.filter(isJsonObject) : [];
}

function textAt(object: unknown, ...path: string[]): string | undefined {
  const value = valueAt(object, path);
  return typeof value === 'string' && value !== '' ? value : undefined;
}

function numberAt(object: unknown, ...path: string[]): number {
  const value = valueAt(object, path);
  return typeof value === 'number' ? value : 0;
}

/** Init containers that keep running beside the containers, and count as such. */
function sidecars(pod: ApiObject): ReadonlySet<unknown> {
  const kept = listAt(pod, 'spec', 'initContainers').filter((each) => each['restartPolicy'] === 'Always');
  return new Set(kept.map(({ name }) => name));
}

/** Containers that count in READY and RESTARTS. */
function longLived(pod: ApiObject): JsonObject[] {
  const kept = sidecars(pod);
  return [
    ...listAt(pod, 'status', 'initContainerStatuses').filter(({ name }) => kept.has(name)),
    ...listAt(pod, 'status', 'containerStatuses'),
  ];
}

/** `1/2`: containers that are ready, of all. */
export function podReady(pod: ApiObject): string {
  const ready = longLived(pod).filter((status) => status['ready'] === true).length;
  return `${ready}/${listAt(pod, 'spec', 'containers').length + sidecars(pod).size}`;
}

/** `3 (12s ago)`; while the pod initializes, of the init containers. */
export function podRestarts(pod: ApiObject, nowMs: number): string {
  const counted =
    initializing(pod) === undefined ? longLived(pod) : listAt(pod, 'status', 'initContainerStatuses');
  const total = counted.reduce((sum, status) => sum + numberAt(status, 'restartCount'), 0);
  const ends = counted.flatMap((status) => textAt(status, 'lastState', 'terminated', 'finishedAt') ?? []);
  const last = ends.toSorted().at(-1);
  return total === 0 || last === undefined ? String(total) : `${total} (${age(last, nowMs)} ago)`;
}

/** A word such as `Running`, `Init:0/1`, `CrashLoopBackOff`, `Completed` or `Terminating`. */
export function podStatus(pod: ApiObject): string {
  const reason = initializing(pod) ?? stateOf(pod);
  if (pod.metadata.deletionTimestamp === undefined) return reason;
  const ended = ['Succeeded', 'Failed'].includes(textAt(pod, 'status', 'phase') ?? '');
  return ended ? reason : 'Terminating';
}

/** Undefined when all init containers have done their part. */
function initializing(pod: ApiObject): string | undefined {
  const all = listAt(pod, 'spec', 'initContainers');
  const kept = sidecars(pod);
  for (const [index, status] of listAt(pod, 'status', 'initContainerStatuses').entries()) {
    const exit = valueAt(status, ['state', 'terminated']);
    if (isJsonObject(exit) && numberAt(exit, 'exitCode') === 0) continue;
    if (kept.has(status['name']) && status['started'] === true) continue;
    if (isJsonObject(exit)) return `Init:${exitReason(exit)}`;
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    if (waiting !== undefined && waiting !== 'PodInitializing') return `Init:${waiting}`;
    return `Init:${index}/${all.length}`;
  }
  return undefined;
}

function stateOf(pod: ApiObject): string {
  const gated = listAt(pod, 'spec', 'schedulingGates').length > 0 && !textAt(pod, 'spec', 'nodeName');
  let reason =
    textAt(pod, 'status', 'reason') ??
    (gated ? 'SchedulingGated' : textAt(pod, 'status', 'phase')) ??
    'Unknown';
  let running = false;
  for (const status of listAt(pod, 'status', 'containerStatuses').toReversed()) {
    const exit = valueAt(status, ['state', 'terminated']);
    const waiting = textAt(status, 'state', 'waiting', 'reason');
    if (waiting !== undefined) reason = waiting;
    else if (isJsonObject(exit)) reason = exitReason(exit);
    else if (status['ready'] === true && valueAt(status, ['state', 'running']) !== undefined) running = true;
  }
  if (reason !== 'Completed' || !running) return reason;
  const ready = listAt(pod, 'status', 'conditions').find((each) => each['type'] === 'Ready');
  return ready?.['status'] === 'True' ? 'Running' : 'NotReady';
}

function exitReason(exit: JsonObject): string {
  const signal = numberAt(exit, 'signal');
  return (
    textAt(exit, 'reason') ?? (signal === 0 ? `ExitCode:${numberAt(exit, 'exitCode')}` : `Signal:${signal}`)
  );
}
