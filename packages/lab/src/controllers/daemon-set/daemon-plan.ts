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
  const perNode = new Map<string, Pod[]>();
  for (const pod of pods.toSorted(byAge)) {
    const node = nodeOf(pod);
    perNode.set(node, [...(perNode.get(node) ?? []), pod]);
  }
  const minReadySeconds = set.spec?.minReadySeconds ?? 0;
  const delay = (pod: Pod): number | undefined => availableInMs(pod, minReadySeconds, nowMs);
  const isNew = (pod: Pod): boolean => hashOfRevision(pod) === hash;
  const create: string[] = [];
  const remove: Pod[] = [];
  const desired: { readonly node: string; readonly pods: readonly Pod[] }[] = [];
  let misscheduled = 0;
  for (const node of nodes) {
    const { name } = node.metadata;
    const here = perNode.get(name) ?? [];
    perNode.delete(name);
    const { run, stay } = placement(set, node);
    if (run) desired.push({ node: name, pods: here });
    else if (here.some(isActive)) misscheduled++;
    if (!stay) remove.push(...here.filter((pod) => !isTerminating(pod)));
  }
  desired.sort((a, b) => (a.node < b.node ? -1 : 1));

  const rolling = set.spec?.updateStrategy?.type !== 'OnDelete';
  const { maxSurge, maxUnavailable } = rolling
    ? rollingLimits(set.spec?.updateStrategy?.rollingUpdate, desired.length, {
        maxSurge: 0,
        maxUnavailable: 1,
      })
    : { maxSurge: 0, maxUnavailable: 0 };
  let surging = 0;
  let unavailable = 0;
  for (const { pods: here } of desired) {
    const active = here.filter(isActive);
    if (active.some(isNew) && active.some((pod) => !isNew(pod))) surging++;
    if (!active.some((pod) => delay(pod) === 0)) unavailable++;
  }
  for (const { node, pods: here } of desired) {
    remove.push(...here.filter((pod) => isFinished(pod) && !isTerminating(pod)));
    const [young, ...doubles] = here.filter((pod) => isActive(pod) && isNew(pod));
    const [old, ...olderDoubles] = here.filter((pod) => isActive(pod) && !isNew(pod));
    remove.push(...doubles, ...olderDoubles);
    if (young === undefined && old === undefined) {
      if (!here.some(isTerminating) || maxSurge > 0) create.push(node);
      continue;
    }
    if (old === undefined || !rolling) continue;
    if (maxSurge > 0) {
      if (young !== undefined) {
        if (delay(young) === 0) remove.push(old);
      } else if (delay(old) !== 0) remove.push(old);
      else if (surging < maxSurge) {
        surging++;
        create.push(node);
      }
    } else if (delay(old) !== 0) remove.push(old);
    else if (unavailable < maxUnavailable) {
      unavailable++;
      remove.push(old);
    }
  }
  // Pods of nodes that are gone.
  for (const left of perNode.values()) remove.push(...left.filter((pod) => !isTerminating(pod)));

  const active = desired.map(({ pods: here }) => here.filter(isActive));
  const count = (holds: (pod: Pod) => boolean): number => active.filter((here) => here.some(holds)).length;
  const available = count((pod) => delay(pod) === 0);
  const missing = desired.length - available;
  return {
    create,
    remove: [...new Set(remove)],
    status: {
      currentNumberScheduled: count(() => true),
      numberMisscheduled: misscheduled,
      desiredNumberScheduled: desired.length,
      numberReady: count(isReady),
      observedGeneration: set.metadata.generation ?? 0,
      ...(count(isNew) === 0 ? {} : { updatedNumberScheduled: count(isNew) }),
      ...(available === 0 ? {} : { numberAvailable: available }),
      ...(missing === 0 ? {} : { numberUnavailable: missing }),
    },
    lookAgainMs: soonest(pods.map(delay)),
  };
}
