/** What a Deployment says of itself. Pure. */
import { formatTime } from '@ambient/kube';

import type { Deployment, DeploymentCondition, DeploymentStatus, ReplicaSet } from '../objects.ts';
import { conditionOf } from '../pods/pod-state.ts';
import { limitsOf, sizeOf } from './rollout-plan.ts';
import type { Revisions } from './revisions.ts';

export interface DeploymentReport {
  readonly status: DeploymentStatus;
  /** When the deadline for progress is over, milliseconds from now. */
  readonly lookAgainMs: number | undefined;
}

function sum(sets: readonly ReplicaSet[], field: 'replicas' | 'readyReplicas' | 'availableReplicas'): number {
  return sets.reduce((total, set) => total + (set.status?.[field] ?? 0), 0);
}

/** @param created whether the set of the template has just been made */
export function deploymentReport(
  deployment: Deployment,
  revisions: Revisions,
  nowMs: number,
  created = false,
): DeploymentReport {
  const { current, old } = revisions;
  const all = current === undefined ? old : [...old, current];
  const availableReplicas = sum(all, 'availableReplicas');
  const counts = {
    replicas: sum(all, 'replicas'),
    updatedReplicas: current?.status?.replicas ?? 0,
    readyReplicas: sum(all, 'readyReplicas'),
    availableReplicas,
    unavailableReplicas: Math.max(0, all.reduce((total, set) => total + sizeOf(set), 0) - availableReplicas),
  };
  const before = deployment.status?.conditions ?? [];
  const { wanted, maxUnavailable } = limitsOf(deployment);
  const enough = availableReplicas >= wanted - maxUnavailable;
  const available: DeploymentCondition = {
    type: 'Available',
    status: enough ? 'True' : 'False',
    reason: enough ? 'MinimumReplicasAvailable' : 'MinimumReplicasUnavailable',
    message: enough
      ? 'Deployment has minimum availability.'
      : 'Deployment does not have minimum availability.',
  };
  const progress = progressOf(deployment, current, counts, nowMs, created);
  const failure = conditionOf(current?.status?.conditions, 'ReplicaFailure');
  const conditions = [
    written(available, before, nowMs),
    ...(progress === undefined ? [] : [written(progress.condition, before, nowMs, progress.renewed)]),
    ...(failure === undefined ? [] : [written(failure, before, nowMs)]),
  ];
  return {
    status: {
      observedGeneration: deployment.metadata.generation ?? 0,
      // As Kubernetes does, what is 0 is left out.
      ...Object.fromEntries(Object.entries(counts).filter(([, count]) => count > 0)),
      conditions,
      ...(deployment.status?.collisionCount === undefined
        ? {}
        : { collisionCount: deployment.status.collisionCount }),
    },
    lookAgainMs: progress?.deadlineMs,
  };
}

/** With the times of the condition before it, unless something has changed. */
function written(
  condition: DeploymentCondition,
  all: readonly DeploymentCondition[],
  nowMs: number,
  renewed = false,
): DeploymentCondition {
  const before = conditionOf(all, condition.type);
  const { type, status, reason, message } = condition;
  const same = before?.status === status && before.reason === reason && before.message === message;
  return {
    type,
    status,
    ...(reason === undefined ? {} : { reason }),
    ...(message === undefined ? {} : { message }),
    lastUpdateTime: (same && !renewed ? before.lastUpdateTime : undefined) ?? formatTime(nowMs),
    lastTransitionTime:
      (before?.status === status ? before.lastTransitionTime : undefined) ?? formatTime(nowMs),
  };
}

interface Progress {
  readonly condition: DeploymentCondition;
  /** There is news, and the deadline counts from now. */
  readonly renewed: boolean;
  readonly deadlineMs: number | undefined;
}

const finished = 'NewReplicaSetAvailable';
const timedOut = 'ProgressDeadlineExceeded';

function progressOf(
  deployment: Deployment,
  current: ReplicaSet | undefined,
  counts: Required<
    Pick<DeploymentStatus, 'replicas' | 'updatedReplicas' | 'readyReplicas' | 'availableReplicas'>
  >,
  nowMs: number,
  created: boolean,
): Progress | undefined {
  const { wanted } = limitsOf(deployment);
  const deadlineSeconds = deployment.spec?.progressDeadlineSeconds ?? 600;
  const before = conditionOf(deployment.status?.conditions, 'Progressing');
  const say = (
    status: 'True' | 'False' | 'Unknown',
    reason: string,
    message: string,
    renewed: boolean,
  ): Progress => {
    const sinceMs = renewed ? nowMs : Date.parse(before?.lastUpdateTime ?? '') || nowMs;
    const dueMs = sinceMs + deadlineSeconds * 1000 - nowMs;
    return {
      condition: { type: 'Progressing', status, reason, message },
      renewed,
      deadlineMs: status === 'True' && reason !== finished ? Math.max(1, dueMs) : undefined,
    };
  };
  if (deployment.spec?.paused === true)
    return say('Unknown', 'DeploymentPaused', 'Deployment is paused', false);
  const name = current?.metadata.name ?? '';
  const { updatedReplicas, replicas, availableReplicas, readyReplicas } = counts;
  const complete =
    current !== undefined &&
    updatedReplicas === wanted &&
    replicas === wanted &&
    availableReplicas === wanted;
  if (complete) return say('True', finished, `ReplicaSet "${name}" has successfully progressed.`, false);
  if (created) return say('True', 'NewReplicaSetCreated', `Created new replica set "${name}"`, true);
  const last = deployment.status ?? {};
  const oldReplicas = replicas - updatedReplicas;
  const moved =
    updatedReplicas > (last.updatedReplicas ?? 0) ||
    oldReplicas < (last.replicas ?? 0) - (last.updatedReplicas ?? 0) ||
    readyReplicas > (last.readyReplicas ?? 0) ||
    availableReplicas > (last.availableReplicas ?? 0);
  const what = name === '' ? `Deployment "${deployment.metadata.name}"` : `ReplicaSet "${name}"`;
  if (moved || before === undefined || before.reason === 'DeploymentPaused' || restarted(deployment, before))
    return say('True', 'ReplicaSetUpdated', `${what} is progressing.`, true);
  if (before.reason === finished) return say('True', finished, before.message ?? '', false);
  const sinceMs = Date.parse(before.lastUpdateTime ?? '');
  if (before.reason === timedOut || nowMs - sinceMs >= deadlineSeconds * 1000)
    return say('False', timedOut, `${what} has timed out progressing.`, false);
  return say('True', before.reason ?? 'ReplicaSetUpdated', before.message ?? '', false);
}

/** A changed template begins a rollout of its own, whatever became of the one before. */
function restarted({ metadata, status }: Deployment, before: DeploymentCondition): boolean {
  return (
    (status?.observedGeneration ?? 0) < (metadata.generation ?? 0) && before.reason !== 'ReplicaSetUpdated'
  );
}
