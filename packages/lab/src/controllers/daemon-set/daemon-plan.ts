/** Which nodes a DaemonSet has to have a pod on, and which of its pods have to go. Pure. */
import { matchesNodeSelection } from '@ambient/kube';

import type { DaemonSet, DaemonSetStatus, Node, Pod, PodSpec, Toleration } from '../objects.ts';
import { rollingLimits } from '../pods/counts.ts';
import {
  availableInMs,
  byAge,
  isActive,
  isFinished,
  isReady,
  isTerminating,
  soonest,
} from '../pods/pod-state.ts';
import { hashOfRevision } from '../revisions/revision-plan.ts';
import { untolerated } from '../scheduler/tolerations.ts';

/** What daemons bear of their node (kube-controller-manager, "Taints and tolerations" of DaemonSets). */
const daemonTolerations: readonly Toleration[] = [
  { key: 'node.kubernetes.io/not-ready', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/unreachable', operator: 'Exists', effect: 'NoExecute' },
  { key: 'node.kubernetes.io/disk-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/memory-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/pid-pressure', operator: 'Exists', effect: 'NoSchedule' },
  { key: 'node.kubernetes.io/unschedulable', operator: 'Exists', effect: 'NoSchedule' },
];
const ofHostNetwork: Toleration = {
  key: 'node.kubernetes.io/network-unavailable',
  operator: 'Exists',
  effect: 'NoSchedule',
};

function tolerationsOf(spec: PodSpec | undefined): readonly Toleration[] {
  const own = spec?.tolerations ?? [];
  return [...own, ...daemonTolerations, ...(spec?.hostNetwork === true ? [ofHostNetwork] : [])];
}

/** Whether a pod is to be made on a node, and whether one that is there may stay. */
function placement(set: DaemonSet, node: Node): { readonly run: boolean; readonly stay: boolean } {
  const spec = set.spec?.template?.spec;
  if (!matchesNodeSelection(spec, node)) return { run: false, stay: false };
  const tolerations = tolerationsOf(spec);
  const { taints } = node.spec ?? {};
  return {
    run: untolerated(taints, tolerations, ['NoSchedule', 'NoExecute']) === undefined,
    stay: untolerated(taints, tolerations, ['NoExecute']) === undefined,
  };
}

/** The node that a daemon's pod is for: where it is, or the only one that its affinity lets it be on. */
export function nodeOf({ spec }: Pod): string {
  if ((spec?.nodeName ?? '') !== '') return spec?.nodeName ?? '';
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms ?? [];
  for (const { matchFields = [] } of terms)
    for (const { key, values = [] } of matchFields) if (key === 'metadata.name') return values[0] ?? '';
  return '';
}

/** The template's spec with the node that the pod is for, whatever else its affinity asks. */
export function specFor(spec: PodSpec | undefined, node: string): PodSpec {
  const here = [{ key: 'metadata.name', operator: 'In', values: [node] }];
  const required = 'requiredDuringSchedulingIgnoredDuringExecution';
  const terms = spec?.affinity?.nodeAffinity?.[required]?.nodeSelectorTerms;
  const nodeSelectorTerms = terms?.map((term) => ({ ...term, matchFields: here })) ?? [{ matchFields: here }];
  return {
    tolerations: tolerationsOf(spec),
    affinity: {
      ...spec?.affinity,
      nodeAffinity: { ...spec?.affinity?.nodeAffinity, [required]: { nodeSelectorTerms } },
    },
  };
}

export interface DaemonPlan {
  /** Names of nodes. */
  readonly create: readonly string[];
  readonly remove: readonly Pod[];
  readonly status: DaemonSetStatus;
  readonly lookAgainMs: number | undefined;
}

/** What a DaemonSet's pods are judged by. */
interface Judgement {
  /** Milliseconds until a pod counts as available; undefined: it is not ready. */
  readonly delay: (pod: Pod) => number | undefined;
  /** Whether it is of the present template. */
  readonly isNew: (pod: Pod) => boolean;
}

/** A node that is to have a daemon, and the pods for it, oldest first. */
interface DaemonPlace {
  readonly node: string;
  readonly pods: readonly Pod[];
}

/**
 * A node gets a pod of the present template beside its old one (surge), or in its place. A pod that failed is replaced.
 *
 * @param hash of the template as it is now
 */
export function planDaemons(
  set: DaemonSet,
  nodes: Iterable<Node>,
  pods: readonly Pod[],
  hash: string,
  nowMs: number,
): DaemonPlan {
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const delay = (pod: Pod): number | undefined => availableInMs(pod, minReadySeconds, nowMs);
  const judgement: Judgement = { delay, isNew: (pod) => hashOfRevision(pod) === hash };
  const { places, misplaced, misscheduled } = placesOf(set, nodes, pods);
  const { create, remove } = planUpdate(set, places, judgement);
  return {
    create,
    remove: [...new Set([...misplaced, ...remove])],
    status: statusOf(set, places, misscheduled, judgement),
    lookAgainMs: soonest(pods.map(delay)),
  };
}

/** The nodes that are to have a daemon, by name; and the pods that may not stay where they are. */
function placesOf(
  set: DaemonSet,
  nodes: Iterable<Node>,
  pods: readonly Pod[],
): {
  readonly places: readonly DaemonPlace[];
  readonly misplaced: readonly Pod[];
  readonly misscheduled: number;
} {
  const perNode = Map.groupBy(pods.toSorted(byAge), nodeOf);
  const places: DaemonPlace[] = [];
  const misplaced: Pod[] = [];
  let misscheduled = 0;
  for (const node of nodes) {
    const { name } = node.metadata;
    const here = perNode.get(name) ?? [];
    perNode.delete(name);
    const { run, stay } = placement(set, node);
    if (run) places.push({ node: name, pods: here });
    else if (here.some(isActive)) misscheduled++;
    if (!stay) misplaced.push(...here);
  }
  const ofNodesThatAreGone = [...perNode.values()].flat();
  return {
    places: places.sort((a, b) => (a.node < b.node ? -1 : 1)),
    misplaced: [...misplaced, ...ofNodesThatAreGone].filter((pod) => !isTerminating(pod)),
    misscheduled,
  };
}

/** The next step of the update, within its limits, and pods in place of those that are missing or failed. */
function planUpdate(
  set: DaemonSet,
  places: readonly DaemonPlace[],
  { delay, isNew }: Judgement,
): Pick<DaemonPlan, 'create' | 'remove'> {
  const rolling = set.spec?.updateStrategy?.type !== 'OnDelete';
  const { maxSurge, maxUnavailable } = rolling
    ? rollingLimits(set.spec?.updateStrategy?.rollingUpdate, places.length, {
        maxSurge: 0,
        maxUnavailable: 1,
      })
    : { maxSurge: 0, maxUnavailable: 0 };
  const active = places.map(({ pods }) => pods.filter(isActive));
  let surging = active.filter((here) => here.some(isNew) && !here.every(isNew)).length;
  let unavailable = active.filter((here) => !here.some((pod) => delay(pod) === 0)).length;
  const create: string[] = [];
  const remove: Pod[] = [];
  for (const { node, pods } of places) {
    remove.push(...pods.filter((pod) => isFinished(pod) && !isTerminating(pod)));
    const [young, ...doubles] = pods.filter((pod) => isActive(pod) && isNew(pod));
    const [old, ...olderDoubles] = pods.filter((pod) => isActive(pod) && !isNew(pod));
    remove.push(...doubles, ...olderDoubles);
    if (young === undefined && old === undefined) {
      if (!pods.some(isTerminating) || maxSurge > 0) create.push(node);
      continue;
    }
    if (old === undefined || !rolling) continue;
    const oldServes = delay(old) === 0;
    if (maxSurge > 0 && young !== undefined) {
      if (delay(young) === 0) remove.push(old);
    } else if (!oldServes) remove.push(old);
    else if (maxSurge > 0 && surging < maxSurge) {
      surging++;
      create.push(node);
    } else if (maxSurge === 0 && unavailable < maxUnavailable) {
      unavailable++;
      remove.push(old);
    }
  }
  return { create, remove };
}

function statusOf(
  set: DaemonSet,
  places: readonly DaemonPlace[],
  misscheduled: number,
  { delay, isNew }: Judgement,
): DaemonSetStatus {
  const active = places.map(({ pods }) => pods.filter(isActive));
  const count = (holds: (pod: Pod) => boolean): number => active.filter((here) => here.some(holds)).length;
  const available = count((pod) => delay(pod) === 0);
  const missing = places.length - available;
  const updated = count(isNew);
  return {
    currentNumberScheduled: count(() => true),
    numberMisscheduled: misscheduled,
    desiredNumberScheduled: places.length,
    numberReady: count(isReady),
    observedGeneration: set.metadata.generation ?? 0,
    ...(updated === 0 ? {} : { updatedNumberScheduled: updated }),
    ...(available === 0 ? {} : { numberAvailable: available }),
    ...(missing === 0 ? {} : { numberUnavailable: missing }),
  };
}
