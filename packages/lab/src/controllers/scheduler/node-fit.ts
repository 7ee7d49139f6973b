/** Whether a pod may run on a node, by what both say. Pure. */
import { matchesNodeSelection } from '@ambient/kube';

import type { Node, PodSpec } from '../objects.ts';
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
