/** The node of a pod. Pure. */
import { matchesLabelSelector, matchesNodeSelectorTerm } from '@ambient/kube';

import type { Node, Pod, PodAffinityTerm } from '../objects.ts';
import { isActive } from '../pods/pod-state.ts';
import { misfit } from './node-fit.ts';

/** A node with the pods that count for it: those that run there, and those that were just sent there. */
export interface Candidate {
  readonly node: Node;
  readonly pods: readonly Pod[];
}

export type Choice =
  { readonly kind: 'node'; readonly name: string } | { readonly kind: 'none'; readonly message: string };

const defaultMostPods = 110;

/**
 * Of the nodes that will do, one that its preferences favour, then the one with the fewest pods of the same owner, then the one
 * with the fewest pods, then the first by name.
 */
export function chooseNode(pod: Pod, candidates: readonly Candidate[]): Choice {
  const reasons = new Map<string, number>();
  const fits = candidates.filter((candidate) => {
    const reason = misfit(pod.spec, candidate.node) ?? crowded(pod, candidate, candidates);
    if (reason === undefined) return true;
    reasons.set(reason, (reasons.get(reason) ?? 0) + 1);
    return false;
  });
  const ranked = fits.map((candidate) => ({
    name: candidate.node.metadata.name,
    preference: preferenceOf(pod, candidate, candidates),
    siblings: siblingsOf(pod, candidate),
    pods: candidate.pods.length,
  }));
  ranked.sort(
    (a, b) =>
      b.preference - a.preference || a.siblings - b.siblings || a.pods - b.pods || (a.name < b.name ? -1 : 1),
  );
  const best = ranked[0];
  if (best !== undefined) return { kind: 'node', name: best.name };
  if (candidates.length === 0) return { kind: 'none', message: 'no nodes available to schedule pods' };
  const told = [...reasons].map(([reason, count]) => `${count} ${reason}`).sort();
  return { kind: 'none', message: `0/${candidates.length} nodes are available: ${told.join(', ')}.` };
}

/** Pods on the node that the same object controls. */
function siblingsOf(pod: Pod, { pods }: Candidate): number {
  const owner = controllerOf(pod);
  if (owner === undefined) return 0;
  return pods.filter((each) => isActive(each) && controllerOf(each) === owner).length;
}

function controllerOf({ metadata }: Pod): string | undefined {
  return metadata.ownerReferences?.find(({ controller }) => controller === true)?.uid;
}

function crowded(pod: Pod, candidate: Candidate, all: readonly Candidate[]): string | undefined {
  const most = Number(candidate.node.status?.allocatable?.['pods'] ?? defaultMostPods);
  if (candidate.pods.filter(isActive).length >= most) return 'Too many pods';
  const taken = new Set(candidate.pods.filter(isActive).flatMap(hostPorts));
  if (hostPorts(pod).some((port) => taken.has(port)))
    return "node(s) didn't have free ports for the requested pod ports";
  const terms = pod.spec?.affinity?.podAntiAffinity?.requiredDuringSchedulingIgnoredDuringExecution ?? [];
  if (terms.some((term) => countMatching(pod, term, candidate, all) > 0))
    return "node(s) didn't match pod anti-affinity rules";
  return undefined;
}

function hostPorts({ spec }: Pod): string[] {
  return (spec?.containers ?? []).flatMap(({ ports = [] }) =>
    ports.flatMap(({ hostPort, protocol = 'TCP' }) =>
      hostPort === undefined || hostPort === 0 ? [] : [`${protocol}/${hostPort}`],
    ),
  );
}

/** Pods that a term speaks of, on all nodes of the candidate's topology domain. */
function countMatching(
  pod: Pod,
  { labelSelector, namespaces, topologyKey }: PodAffinityTerm,
  candidate: Candidate,
  all: readonly Candidate[],
): number {
  const domain = candidate.node.metadata.labels?.[topologyKey];
  if (labelSelector === undefined || domain === undefined) return 0;
  const inNamespaces = namespaces ?? [pod.metadata.namespace ?? ''];
  let count = 0;
  for (const { node, pods } of all) {
    if (node.metadata.labels?.[topologyKey] !== domain) continue;
    for (const each of pods)
      if (
        isActive(each) &&
        each.metadata.uid !== pod.metadata.uid &&
        inNamespaces.includes(each.metadata.namespace ?? '') &&
        matchesLabelSelector(labelSelector, each.metadata.labels)
      )
        count++;
  }
  return count;
}

function preferenceOf(pod: Pod, candidate: Candidate, all: readonly Candidate[]): number {
  const { nodeAffinity, podAntiAffinity } = pod.spec?.affinity ?? {};
  let score = 0;
  for (const { weight, preference } of nodeAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
    if (matchesNodeSelectorTerm(preference, candidate.node)) score += weight;
  for (const {
    weight,
    podAffinityTerm,
  } of podAntiAffinity?.preferredDuringSchedulingIgnoredDuringExecution ?? [])
    score -= weight * countMatching(pod, podAffinityTerm, candidate, all);
  for (const taint of candidate.node.spec?.taints ?? []) if (taint.effect === 'PreferNoSchedule') score -= 1;
  return score;
}
