/**
 * What a Deployment does next: which sizes its ReplicaSets are to have. Pure. It follows kube-controller-manager: a step changes
 * the new set or the old ones, and what comes of it is looked at before the next one.
 */
import type { Deployment, ReplicaSet } from '../objects.ts';
import { rollingLimits } from '../pods/counts.ts';
import { isTerminating } from '../pods/pod-state.ts';
import { desiredAnnotation, mostAnnotation } from './revisions.ts';
import type { Revisions } from './revisions.ts';

export interface Resize {
  readonly set: ReplicaSet;
  readonly replicas: number;
}

export interface RolloutPlan {
  /** The size of a set for the template, which is not there yet; undefined: none is to be made now. */
  readonly create: number | undefined;
  readonly resize: readonly Resize[];
}

const nothing: RolloutPlan = { create: undefined, resize: [] };
const defaults = { maxSurge: '25%', maxUnavailable: '25%' };

export function limitsOf(deployment: Deployment): {
  readonly wanted: number;
  readonly maxSurge: number;
  readonly maxUnavailable: number;
} {
  const wanted = deployment.spec?.replicas ?? 1;
  if (deployment.spec?.strategy?.type === 'Recreate') return { wanted, maxSurge: 0, maxUnavailable: wanted };
  return { wanted, ...rollingLimits(deployment.spec?.strategy?.rollingUpdate, wanted, defaults) };
}

export function sizeOf(set: ReplicaSet | undefined): number {
  return set === undefined ? 0 : (set.spec?.replicas ?? 1);
}

function sum(sets: readonly ReplicaSet[], of: (set: ReplicaSet) => number): number {
  return sets.reduce((total, set) => total + of(set), 0);
}

function available(set: ReplicaSet): number {
  return set.status?.availableReplicas ?? 0;
}

/** @param oldPodsLeft whether a pod of an old set is still there, terminating ones included */
export function planRollout(deployment: Deployment, revisions: Revisions, oldPodsLeft: boolean): RolloutPlan {
  if (isTerminating(deployment)) return nothing;
  if (deployment.spec?.paused === true) return planScale(deployment, revisions);
  const { wanted } = limitsOf(deployment);
  const all = allOf(revisions);
  const scaled = all.some(
    (set) =>
      sizeOf(set) > 0 && (set.metadata.annotations?.[desiredAnnotation] ?? `${wanted}`) !== String(wanted),
  );
  if (scaled) {
    const plan = planScale(deployment, revisions);
    if (plan.resize.length > 0) return plan;
  }
  return deployment.spec?.strategy?.type === 'Recreate'
    ? planRecreate(wanted, revisions, oldPodsLeft)
    : planRolling(deployment, revisions);
}

function allOf({ current, old }: Revisions): ReplicaSet[] {
  return current === undefined ? [...old] : [...old, current];
}

function resized(set: ReplicaSet, replicas: number): readonly Resize[] {
  return sizeOf(set) === replicas ? [] : [{ set, replicas }];
}

function planRecreate(wanted: number, { current, old }: Revisions, oldPodsLeft: boolean): RolloutPlan {
  const ending = old.flatMap((set) => resized(set, 0));
  if (ending.length > 0) return { create: undefined, resize: ending };
  if (oldPodsLeft) return nothing;
  return current === undefined
    ? { create: wanted, resize: [] }
    : { create: undefined, resize: resized(current, wanted) };
}

function planRolling(deployment: Deployment, revisions: Revisions): RolloutPlan {
  const { current, old } = revisions;
  const { wanted, maxSurge, maxUnavailable } = limitsOf(deployment);
  const total = sum(allOf(revisions), sizeOf);
  const room = Math.max(0, wanted + maxSurge - total);
  if (current === undefined) return { create: Math.min(room, wanted), resize: [] };
  const size = sizeOf(current);
  if (size > wanted) return { create: undefined, resize: [{ set: current, replicas: wanted }] };
  const more = Math.min(room, wanted - size);
  if (more > 0) return { create: undefined, resize: [{ set: current, replicas: size + more }] };
  return { create: undefined, resize: planOld(old, current, total, wanted - maxUnavailable) };
}

/** Takes old pods away as far as enough are available: first those that are not, then the oldest. */
function planOld(old: readonly ReplicaSet[], current: ReplicaSet, total: number, least: number): Resize[] {
  if (sum(old, sizeOf) === 0) return [];
  const newMissing = sizeOf(current) - available(current);
  let spare = total - least - newMissing;
  if (spare <= 0) return [];
  const sizes = new Map(old.map((set) => [set, sizeOf(set)]));
  const shrink = (set: ReplicaSet, by: number): number => {
    const size = sizes.get(set) ?? 0;
    const taken = Math.max(0, Math.min(size, by));
    sizes.set(set, size - taken);
    return taken;
  };
  for (const set of old) spare -= shrink(set, Math.min(spare, sizeOf(set) - available(set)));
  let surplus = sum([...old, current], available) - least;
  for (const set of old) {
    if (surplus <= 0) break;
    surplus -= shrink(set, surplus);
  }
  return old.flatMap((set) => resized(set, sizes.get(set) ?? 0));
}

/** After a change of `spec.replicas` in the midst of a rollout, every set that has pods gets its share of the difference. */
function planScale(deployment: Deployment, revisions: Revisions): RolloutPlan {
  const { current, old } = revisions;
  const { wanted, maxSurge } = limitsOf(deployment);
  const active = allOf(revisions).filter((set) => sizeOf(set) > 0);
  const only = active.length === 0 ? (current ?? old.at(-1)) : active.length === 1 ? active[0] : undefined;
  if (only !== undefined) return { create: undefined, resize: resized(only, wanted) };
  if (active.length === 0) return nothing;
  if (current !== undefined && isSaturated(current, wanted))
    return { create: undefined, resize: old.flatMap((set) => resized(set, 0)) };
  if (deployment.spec?.strategy?.type === 'Recreate') return nothing;

  const allowed = wanted > 0 ? wanted + maxSurge : 0;
  let left = allowed - sum(active, sizeOf);
  const difference = left;
  // Growing begins with the newest of equals, shrinking with the oldest.
  const ordered = active.toSorted(
    (a, b) => sizeOf(b) - sizeOf(a) || (difference > 0 ? active.indexOf(b) - active.indexOf(a) : 0),
  );
  const sizes = ordered.map((set) => {
    const share = clampTowards(shareOf(set, allowed, wanted), left);
    left -= share;
    return sizeOf(set) + share;
  });
  // What rounding has left over goes to the largest.
  sizes[0] = Math.max(0, (sizes[0] ?? 0) + left);
  return { create: undefined, resize: ordered.flatMap((set, index) => resized(set, sizes[index] ?? 0)) };
}

function isSaturated(set: ReplicaSet, wanted: number): boolean {
  return (
    sizeOf(set) === wanted &&
    set.metadata.annotations?.[desiredAnnotation] === String(wanted) &&
    available(set) === wanted
  );
}

function shareOf(set: ReplicaSet, allowed: number, wanted: number): number {
  const size = sizeOf(set);
  const before = Number(set.metadata.annotations?.[mostAnnotation] ?? wanted);
  return Math.round((size * allowed) / (before > 0 ? before : allowed)) - size;
}

/** A change in the direction of what is left to be changed, and not beyond it. */
function clampTowards(change: number, left: number): number {
  return left > 0 ? Math.min(Math.max(change, 0), left) : Math.max(Math.min(change, 0), left);
}

/** Old sets without pods, beyond what is kept of them for a rollback: the oldest revisions first. */
export function outdated(deployment: Deployment, { old }: Revisions): ReplicaSet[] {
  const kept = deployment.spec?.revisionHistoryLimit ?? 10;
  const empty = old.filter(
    (set) =>
      sizeOf(set) === 0 &&
      (set.status?.replicas ?? 0) === 0 &&
      (set.status?.observedGeneration ?? 0) >= (set.metadata.generation ?? 0) &&
      !isTerminating(set),
  );
  return empty.slice(0, Math.max(0, old.length - kept));
}
