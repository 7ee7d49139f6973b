/** The next step of a StatefulSet. Pure. */
import type { Pod, StatefulSet, StatefulSetStatus } from '../objects.ts';
import { availableInMs, isActive, isFinished, isReady, isTerminating, soonest } from '../pods/pod-state.ts';
import { hashOfRevision } from '../revisions/revision-plan.ts';

export interface StatefulPlan {
  /** Ordinals, each with the revision that its pod is of. */
  readonly create: readonly { readonly ordinal: number; readonly hash: string }[];
  readonly remove: readonly Pod[];
  readonly status: StatefulSetStatus;
  readonly lookAgainMs: number | undefined;
}

/** Undefined for a pod that is not named after its set. */
function ordinalOf(set: StatefulSet, { metadata }: Pod): number | undefined {
  const prefix = `${set.metadata.name}-`;
  const digits = metadata.name.startsWith(prefix) ? metadata.name.slice(prefix.length) : '';
  return /^(0|[1-9]\d{0,8})$/.test(digits) ? Number(digits) : undefined;
}

/**
 * Pods come one after the other, each when the ones before it are available, and go in reverse order; an update goes from the
 * last to the first above the partition, one at a time. With `podManagementPolicy: Parallel` only updates keep the order.
 *
 * @param hash of the template as it is now
 * @param kept hashes of revisions whose templates are still known
 */
export function planStateful(
  set: StatefulSet,
  pods: readonly Pod[],
  hash: string,
  kept: ReadonlySet<string>,
  nowMs: number,
): StatefulPlan {
  const { replicas = 1, minReadySeconds = 0, podManagementPolicy, updateStrategy } = set.spec ?? {};
  const first = set.spec?.ordinals?.start ?? 0;
  const ordered = podManagementPolicy !== 'Parallel';
  const byOrdinal = new Map<number, Pod>();
  for (const pod of pods) {
    const ordinal = ordinalOf(set, pod);
    if (ordinal !== undefined) byOrdinal.set(ordinal, pod);
  }
  const delay = (pod: Pod | undefined): number | undefined =>
    pod === undefined ? undefined : availableInMs(pod, minReadySeconds, nowMs);
  const isUp = (pod: Pod | undefined): boolean => delay(pod) === 0;
  const last = set.status?.currentRevision ?? hash;
  const current = kept.has(last) ? last : hash;
  const partition = updateStrategy?.rollingUpdate?.partition ?? 0;
  const rolling = updateStrategy?.type !== 'OnDelete';
  const hashFor = (ordinal: number): string => (rolling && ordinal < first + partition ? current : hash);

  const wanted = Array.from({ length: replicas }, (_, index) => first + index);
  const beyond = [...byOrdinal.keys()]
    .filter((ordinal) => ordinal < first || ordinal >= first + replicas)
    .sort((a, b) => b - a);
  const create: { ordinal: number; hash: string }[] = [];
  const remove: Pod[] = [];
  /** Nothing further is begun while this is so. */
  let busy = false;
  for (const ordinal of wanted) {
    const pod = byOrdinal.get(ordinal);
    if (pod === undefined) create.push({ ordinal, hash: hashFor(ordinal) });
    else if (isFinished(pod) && !isTerminating(pod)) remove.push(pod);
    if (!isUp(pod)) busy = true;
    if (busy && ordered) break;
  }
  if (!busy || !ordered)
    for (const ordinal of beyond) {
      const pod = byOrdinal.get(ordinal)!;
      if (!isTerminating(pod)) remove.push(pod);
      busy = true;
      if (ordered) break;
    }
  if (rolling)
    for (const ordinal of wanted.toReversed()) {
      if (ordinal < first + partition) break;
      const pod = byOrdinal.get(ordinal);
      if (pod === undefined || isTerminating(pod)) break;
      if (hashOfRevision(pod) !== hash) {
        // One that does not come up is replaced, so that a bad update can be corrected.
        if (!remove.includes(pod) && (!busy || !isUp(pod))) remove.push(pod);
        break;
      }
      if (!isUp(pod)) break;
    }

  const active = [...byOrdinal.values()].filter(isActive);
  const updated = active.filter((pod) => hashOfRevision(pod) === hash).length;
  const complete = updated === replicas && active.length === replicas && active.every(isReady);
  return {
    create,
    remove,
    status: {
      observedGeneration: set.metadata.generation ?? 0,
      replicas: active.length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: active.filter(isUp).length,
      currentReplicas: active.filter((pod) => hashOfRevision(pod) === (complete ? hash : current)).length,
      updatedReplicas: updated,
      currentRevision: complete ? hash : current,
      updateRevision: hash,
    },
    lookAgainMs: soonest(active.map(delay)),
  };
}
