/** How many pods a ReplicaSet lacks, and which it can do without. Pure. */
import type { Condition, Pod, ReplicaSet, ReplicaSetStatus } from '../objects.ts';
import { formatTime, matchesLabelSelector } from '@ambient/kube';

import {
  availableInMs,
  conditionOf,
  createdMs,
  isActive,
  isReady,
  restarts,
  soonest,
} from '../pods/pod-state.ts';

export interface ReplicaPlan {
  readonly create: number;
  readonly remove: readonly Pod[];
}

const deletionCost = 'controller.kubernetes.io/pod-deletion-cost';

/** @param pods of the set */
export function planReplicas(set: ReplicaSet, pods: readonly Pod[]): ReplicaPlan {
  const wanted = set.spec?.replicas ?? 1;
  const active = pods.filter(isActive);
  if (active.length <= wanted) return { create: wanted - active.length, remove: [] };
  const perNode = new Map<string, number>();
  for (const { spec } of active) {
    const node = spec?.nodeName ?? '';
    perNode.set(node, (perNode.get(node) ?? 0) + 1);
  }
  const ranked = active.toSorted((a, b) => compareByWorth(a, b, perNode));
  return { create: 0, remove: ranked.slice(0, active.length - wanted) };
}

const phases: Readonly<Record<string, number>> = { Pending: 0, Unknown: 1, Running: 2 };

/** Those that are missed least first, as Kubernetes ranks them: not scheduled, pending, not ready, cheap, crowded, young. */
function compareByWorth(a: Pod, b: Pod, perNode: ReadonlyMap<string, number>): number {
  const crowd = (pod: Pod): number => perNode.get(pod.spec?.nodeName ?? '') ?? 0;
  const flag = (value: boolean): number => (value ? 1 : 0);
  return (
    flag((a.spec?.nodeName ?? '') !== '') - flag((b.spec?.nodeName ?? '') !== '') ||
    (phases[a.status?.phase ?? ''] ?? 0) - (phases[b.status?.phase ?? ''] ?? 0) ||
    flag(isReady(a)) - flag(isReady(b)) ||
    costOf(a) - costOf(b) ||
    crowd(b) - crowd(a) ||
    readySinceMs(b) - readySinceMs(a) ||
    restarts(b) - restarts(a) ||
    createdMs(b) - createdMs(a) ||
    (a.metadata.name < b.metadata.name ? -1 : 1)
  );
}

function costOf({ metadata }: Pod): number {
  const cost = Number(metadata.annotations?.[deletionCost] ?? 0);
  return Number.isInteger(cost) ? cost : 0;
}

function readySinceMs(pod: Pod): number {
  const time = Date.parse(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime ?? '');
  return Number.isNaN(time) ? 0 : time;
}

export interface ReplicaReport {
  readonly status: ReplicaSetStatus;
  /** When pods that are ready now will count as available, milliseconds from now. */
  readonly lookAgainMs: number | undefined;
}

/** @param failure why pods could not be made or deleted, if that is so */
export function replicaReport(
  set: ReplicaSet,
  pods: readonly Pod[],
  nowMs: number,
  failure?: { readonly reason: string; readonly message: string },
): ReplicaReport {
  const active = pods.filter(isActive);
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const delays = active.map((pod) => availableInMs(pod, minReadySeconds, nowMs));
  const labels = { matchLabels: set.spec?.template?.metadata?.labels ?? {} };
  const others = (set.status?.conditions ?? []).filter(({ type }) => type !== 'ReplicaFailure');
  const before = conditionOf(set.status?.conditions, 'ReplicaFailure');
  const conditions: Condition[] =
    failure === undefined
      ? others
      : [
          ...others,
          {
            type: 'ReplicaFailure',
            status: 'True',
            ...failure,
            lastTransitionTime: before?.lastTransitionTime ?? formatTime(nowMs),
          },
        ];
  return {
    status: {
      replicas: active.length,
      fullyLabeledReplicas: active.filter(({ metadata }) => matchesLabelSelector(labels, metadata.labels))
        .length,
      readyReplicas: active.filter(isReady).length,
      availableReplicas: delays.filter((delay) => delay === 0).length,
      observedGeneration: set.metadata.generation ?? 0,
      ...(conditions.length === 0 ? {} : { conditions }),
    },
    lookAgainMs: soonest(delays),
  };
}
