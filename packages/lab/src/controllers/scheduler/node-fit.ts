/** Whether a pod may run on a node, by what both say. Pure. */
import type { Node, NodeRequirement, NodeSelectorTerm, PodSpec } from '../objects.ts';
import { untolerated } from './tolerations.ts';

/** Why a node is out of the question, in the words of kube-scheduler. */
export type Misfit = string;

export const unschedulableTaint = 'node.kubernetes.io/unschedulable';

/** Everything but other pods; undefined if the node will do. */
export function misfit(spec: PodSpec | undefined, node: Node): Misfit | undefined {
  const taints = node.spec?.taints ?? [];
  const all =
    node.spec?.unschedulable === true && !taints.some(({ key }) => key === unschedulableTaint)
      ? [...taints, { key: unschedulableTaint, effect: 'NoSchedule' }]
      : taints;
  const taint = untolerated(all, spec?.tolerations, ['NoSchedule', 'NoExecute']);
  if (taint !== undefined)
    return taint.key === unschedulableTaint
      ? 'node(s) were unschedulable'
      : `node(s) had untolerated taint(s)`;
  if (!matchesNodeSelection(spec, node)) return "node(s) didn't match Pod's node affinity/selector";
  return undefined;
}

/** `spec.nodeSelector`, and the required node affinity. */
export function matchesNodeSelection(spec: PodSpec | undefined, node: Node): boolean {
  const labels = node.metadata.labels ?? {};
  for (const [key, value] of Object.entries(spec?.nodeSelector ?? {}))
    if (!Object.hasOwn(labels, key) || labels[key] !== value) return false;
  const terms =
    spec?.affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesTerm(term, node));
}

/** An empty term matches nothing. */
export function matchesTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  node: Node,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  const labels = node.metadata.labels ?? {};
  return (
    matchExpressions.every((each) =>
      holds(each, Object.hasOwn(labels, each.key) ? labels[each.key] : undefined),
    ) && matchFields.every((each) => each.key === 'metadata.name' && holds(each, node.metadata.name))
  );
}

function holds({ operator, values = [] }: NodeRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
