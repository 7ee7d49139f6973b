/** Whether a node is alive, and what its taints say of it. Pure. */
import { formatTime } from '@ambient/kube';

import type { Node, NodeCondition, Taint } from '../objects.ts';
import { conditionOf } from '../pods/pod-state.ts';
import { unschedulableTaint } from '../scheduler/node-fit.ts';

const notReadyTaint = 'node.kubernetes.io/not-ready';
const unreachableTaint = 'node.kubernetes.io/unreachable';

/** Conditions that a silent node no longer vouches for. */
const vouched = ['Ready', 'MemoryPressure', 'DiskPressure', 'PIDPressure'];

/** The conditions of a node that has fallen silent, those that change only. */
export function silentConditions(node: Node, nowMs: number): readonly NodeCondition[] {
  return (node.status?.conditions ?? [])
    .filter(({ type, status }) => vouched.includes(type) && status !== 'Unknown')
    .map((condition) => ({
      ...condition,
      status: 'Unknown',
      reason: 'NodeStatusUnknown',
      message: 'Kubelet stopped posting node status.',
      lastTransitionTime: formatTime(nowMs),
    }));
}

/** The taints that follow from a node's condition and from `kubectl cordon`, beside those that others gave it. */
export function taintsOf(node: Node, nowMs: number): readonly Taint[] {
  const ready = conditionOf(node.status?.conditions, 'Ready')?.status;
  const before = node.spec?.taints ?? [];
  const wanted: Pick<Taint, 'key' | 'effect'>[] = [];
  const add = (key: string, ...effects: string[]): void => {
    for (const effect of effects) wanted.push({ key, effect });
  };
  if (ready === 'Unknown') add(unreachableTaint, 'NoSchedule', 'NoExecute');
  else if (ready !== 'True') add(notReadyTaint, 'NoSchedule', 'NoExecute');
  if (node.spec?.unschedulable === true) add(unschedulableTaint, 'NoSchedule');
  const own = [notReadyTaint, unreachableTaint, unschedulableTaint];
  return [
    ...before.filter(({ key }) => !own.includes(key)),
    ...wanted.map(
      ({ key, effect }) =>
        before.find((taint) => taint.key === key && taint.effect === effect) ?? {
          key,
          effect,
          timeAdded: formatTime(nowMs),
        },
    ),
  ];
}
