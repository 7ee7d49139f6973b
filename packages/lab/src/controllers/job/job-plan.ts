/** The next step of a Job. Pure. */
import { formatTime } from '@ambient/kube';

import type { Condition, Job, JobStatus, Pod } from '../objects.ts';
import { conditionOf, createdMs, isActive, isReady, isTerminating, restarts } from '../pods/pod-state.ts';

export const indexAnnotation = 'batch.kubernetes.io/job-completion-index';

export interface JobPlan {
  /** One entry per pod; the index of a pod of an indexed Job. */
  readonly create: readonly (number | undefined)[];
  readonly remove: readonly Pod[];
  readonly status: JobStatus;
  /** The Job itself is to be deleted: its time after the end is over. */
  readonly expired: boolean;
  readonly lookAgainMs: number | undefined;
}

const firstRetryMs = 10_000;
const longestRetryMs = 360_000;

function indexOf({ metadata }: Pod): number | undefined {
  const index = metadata.annotations?.[indexAnnotation];
  return index === undefined || !/^\d{1,9}$/.test(index) ? undefined : Number(index);
}

/**
 * Ended pods are counted while they are there. One that somebody deletes stays in the counts of the status, but is not told apart
 * from the next that ends.
 */
export function planJob(job: Job, pods: readonly Pod[], nowMs: number): JobPlan {
  const { status = {} } = job;
  const ended = conditionOf(status.conditions, 'Complete') ?? conditionOf(status.conditions, 'Failed');
  const active = pods.filter(isActive);
  if (ended?.status === 'True') return planEnded(job, active, ended, nowMs);
  const counts = countsOf(job, pods, active);
  const suspended = job.spec?.suspend === true;
  const startTime = suspended ? undefined : (status.startTime ?? formatTime(nowMs));
  const verdict = verdictOf(job, pods, counts, startTime, nowMs);
  if (verdict !== undefined) {
    const condition = { ...verdict, status: 'True' as const, lastTransitionTime: formatTime(nowMs) };
    const conditions = [...(status.conditions ?? []), condition];
    return {
      create: [],
      remove: active,
      status: {
        ...counts,
        ...(startTime === undefined ? {} : { startTime }),
        active: 0,
        ready: 0,
        ...(verdict.type === 'Complete' ? { completionTime: formatTime(nowMs) } : {}),
        conditions,
      },
      expired: false,
      lookAgainMs: job.spec?.ttlSecondsAfterFinished === undefined ? undefined : 1,
    };
  }
  const conditions = suspension(job, suspended, nowMs);
  const base = {
    ...counts,
    ...(startTime === undefined ? {} : { startTime }),
    ...(conditions.length === 0 ? {} : { conditions }),
  };
  const deadlineSeconds = job.spec?.activeDeadlineSeconds;
  const deadlineMs =
    deadlineSeconds === undefined || startTime === undefined
      ? undefined
      : Math.max(1, Date.parse(startTime) + deadlineSeconds * 1000 - nowMs);
  if (suspended) return { create: [], remove: active, status: base, expired: false, lookAgainMs: undefined };
  const { create, remove } = balance(job, pods, active, counts.succeeded);
  const pauseMs = create.length === 0 ? 0 : retryInMs(job, pods, nowMs);
  const delays = [deadlineMs, pauseMs > 0 ? pauseMs : undefined].filter((each) => each !== undefined);
  return {
    create: pauseMs > 0 ? [] : create,
    remove,
    status: base,
    expired: false,
    lookAgainMs: delays.length === 0 ? undefined : Math.min(...delays),
  };
}

function planEnded(job: Job, active: readonly Pod[], ended: Condition, nowMs: number): JobPlan {
  const ttlSeconds = job.spec?.ttlSecondsAfterFinished;
  const dueMs =
    ttlSeconds === undefined
      ? Infinity
      : Date.parse(ended.lastTransitionTime ?? formatTime(nowMs)) + ttlSeconds * 1000 - nowMs;
  return {
    create: [],
    remove: active,
    status: job.status ?? {},
    expired: dueMs <= 0,
    lookAgainMs: dueMs > 0 && dueMs < Infinity ? dueMs : undefined,
  };
}

type Counts = Required<Pick<JobStatus, 'active' | 'ready' | 'succeeded' | 'failed' | 'terminating'>> &
  Pick<JobStatus, 'completedIndexes'>;

function countsOf(job: Job, pods: readonly Pod[], active: readonly Pod[]): Counts {
  const inPhase = (phase: string): number => pods.filter(({ status }) => status?.phase === phase).length;
  const indexes = isIndexed(job) ? completedIndexes(job, pods) : undefined;
  return {
    active: active.length,
    ready: active.filter(isReady).length,
    succeeded: indexes?.size ?? Math.max(job.status?.succeeded ?? 0, inPhase('Succeeded')),
    failed: Math.max(job.status?.failed ?? 0, inPhase('Failed')),
    terminating: pods.filter((pod) => isTerminating(pod) && !isEnded(pod)).length,
    ...(indexes === undefined ? {} : { completedIndexes: intervals([...indexes]) }),
  };
}

function isEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

function isIndexed(job: Job): boolean {
  return job.spec?.completionMode === 'Indexed' && job.spec.completions !== undefined;
}

function completedIndexes(job: Job, pods: readonly Pod[]): Set<number> {
  const completed = new Set<number>();
  for (const part of (job.status?.completedIndexes ?? '').split(',')) {
    const [from, to] = part.split('-').map(Number);
    if (part !== '') for (let index = from!; index <= (to ?? from!); index++) completed.add(index);
  }
  for (const pod of pods) {
    const index = indexOf(pod);
    if (pod.status?.phase === 'Succeeded' && index !== undefined && index < (job.spec?.completions ?? 0))
      completed.add(index);
  }
  return completed;
}

/** `0,2-4` */
function intervals(indexes: readonly number[]): string {
  const parts: string[] = [];
  const sorted = indexes.toSorted((a, b) => a - b);
  for (let from = 0; from < sorted.length;) {
    let to = from;
    while (to + 1 < sorted.length && sorted[to + 1] === sorted[to]! + 1) to++;
    parts.push(from === to ? `${sorted[from]!}` : `${sorted[from]!}-${sorted[to]!}`);
    from = to + 1;
  }
  return parts.join(',');
}

type Verdict = Pick<Condition, 'type' | 'reason' | 'message'>;

function verdictOf(
  job: Job,
  pods: readonly Pod[],
  counts: Counts,
  startTime: string | undefined,
  nowMs: number,
): Verdict | undefined {
  const { completions, backoffLimit = 6, activeDeadlineSeconds } = job.spec ?? {};
  const complete =
    completions === undefined
      ? counts.succeeded > 0 && counts.active === 0
      : counts.succeeded >= completions && (completions > 0 || counts.active === 0);
  if (complete)
    return {
      type: 'Complete',
      reason: 'CompletionsReached',
      message: 'Reached expected number of succeeded pods',
    };
  if (counts.failed > backoffLimit || restartedTooOften(job, pods, backoffLimit))
    return {
      type: 'Failed',
      reason: 'BackoffLimitExceeded',
      message: 'Job has reached the specified backoff limit',
    };
  if (activeDeadlineSeconds === undefined || startTime === undefined) return undefined;
  if (nowMs - Date.parse(startTime) < activeDeadlineSeconds * 1000) return undefined;
  return {
    type: 'Failed',
    reason: 'DeadlineExceeded',
    message: 'Job was active longer than specified deadline',
  };
}

/** Containers that their kubelet restarts count as failures of the Job. */
function restartedTooOften(job: Job, pods: readonly Pod[], limit: number): boolean {
  if (job.spec?.template?.spec?.restartPolicy !== 'OnFailure') return false;
  const count = pods
    .filter((pod) => pod.status?.phase === 'Running')
    .reduce((all, pod) => all + restarts(pod), 0);
  return count > 0 && count >= limit;
}

function suspension(job: Job, suspended: boolean, nowMs: number): readonly Condition[] {
  const before = job.status?.conditions ?? [];
  const known = conditionOf(before, 'Suspended');
  if ((known?.status === 'True') === suspended) return before;
  const condition: Condition = {
    type: 'Suspended',
    status: suspended ? 'True' : 'False',
    reason: suspended ? 'JobSuspended' : 'JobResumed',
    message: suspended ? 'Job suspended' : 'Job resumed',
    lastTransitionTime: formatTime(nowMs),
  };
  return [...before.filter(({ type }) => type !== 'Suspended'), condition];
}

function balance(
  job: Job,
  pods: readonly Pod[],
  active: readonly Pod[],
  succeeded: number,
): { readonly create: readonly (number | undefined)[]; readonly remove: readonly Pod[] } {
  const { parallelism = 1, completions } = job.spec ?? {};
  const wanted =
    completions === undefined
      ? succeeded > 0
        ? Math.min(active.length, parallelism)
        : parallelism
      : Math.min(parallelism, completions - succeeded);
  if (active.length > wanted) {
    const ranked = active.toSorted(
      (a, b) => Number(isReady(a)) - Number(isReady(b)) || createdMs(b) - createdMs(a),
    );
    return { create: [], remove: ranked.slice(0, active.length - wanted) };
  }
  const missing = wanted - active.length;
  if (!isIndexed(job)) return { create: Array.from({ length: missing }, () => undefined), remove: [] };
  const taken = new Set([...completedIndexes(job, pods), ...active.map(indexOf)]);
  const create: number[] = [];
  for (let index = 0; index < (completions ?? 0) && create.length < missing; index++)
    if (!taken.has(index)) create.push(index);
  return { create, remove: [] };
}

/** Each failure doubles the pause before the next pod, counted from the last of them; milliseconds. */
function retryInMs(job: Job, pods: readonly Pod[], nowMs: number): number {
  const failed = pods.filter(({ status }) => status?.phase === 'Failed');
  if (failed.length === 0) return 0;
  const pauseMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (failed.length - 1));
  const lastMs = Math.max(...failed.map(endedMs));
  return Math.max(0, lastMs + pauseMs - nowMs);
}

function endedMs(pod: Pod): number {
  const time = Date.parse(conditionOf(pod.status?.conditions, 'Ready')?.lastTransitionTime ?? '');
  return Number.isNaN(time) ? createdMs(pod) : time;
}
