import { canonical } from '../cache/canonical.ts';
import { formatTime, matchesLabelSelector } from '@ambient/kube';

import type { ControllerContext } from '../controller.ts';
import type { Pod, PodDisruptionBudget, PodDisruptionBudgetStatus } from '../objects.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { countOf } from './counts.ts';
import { isActive, isReady } from './pod-state.ts';
import { onWorkloadChange } from './pod-family.ts';

/**
 * How many pods of a budget may be evicted now. Shares are of the pods that are there, also where Kubernetes would ask their
 * owners for how many there should be.
 */
function budgetStatus(
  budget: PodDisruptionBudget,
  pods: readonly Pod[],
  nowMs: number,
): PodDisruptionBudgetStatus {
  const active = pods.filter(isActive);
  const currentHealthy = active.filter(isReady).length;
  const { minAvailable, maxUnavailable } = budget.spec ?? {};
  const desiredHealthy =
    maxUnavailable === undefined
      ? (countOf(minAvailable ?? 1, active.length, 'up') ?? active.length)
      : Math.max(0, active.length - (countOf(maxUnavailable, active.length, 'up') ?? 0));
  const disruptionsAllowed = Math.max(0, currentHealthy - desiredHealthy);
  const status = disruptionsAllowed > 0 ? 'True' : 'False';
  const before = budget.status?.conditions?.find(({ type }) => type === 'DisruptionAllowed');
  return {
    observedGeneration: budget.metadata.generation ?? 0,
    currentHealthy,
    desiredHealthy,
    disruptionsAllowed,
    expectedPods: active.length,
    conditions: [
      {
        type: 'DisruptionAllowed',
        status,
        reason: disruptionsAllowed > 0 ? 'SufficientPods' : 'InsufficientPods',
        message: '',
        lastTransitionTime:
          (before?.status === status ? before.lastTransitionTime : undefined) ?? formatTime(nowMs),
        observedGeneration: budget.metadata.generation ?? 0,
      },
    ],
  };
}

/** Counts for PodDisruptionBudgets, by which the API refuses evictions. */
export class DisruptionBudgetController extends QueuedController {
  constructor(context: ControllerContext) {
    super(context, { name: 'disruption-controller', gatherMs: 15 });
    const { cache } = context;
    const budgets = cache.tables.PodDisruptionBudget;
    this.hear(onWorkloadChange(cache, 'PodDisruptionBudget', (key) => this.look(key)));
    const seen = (pod: Pod | undefined): string =>
      canonical(pod === undefined ? null : [pod.metadata.labels, isActive(pod), isReady(pod)]);
    this.hear(
      cache.tables.Pod.listen((pod, previous) => {
        if (budgets.size === 0 || seen(pod) === seen(previous)) return;
        const { namespace = '' } = (pod ?? previous!).metadata;
        for (const { metadata, spec } of budgets.by('namespace', namespace))
          if ([pod, previous].some((each) => selects(spec, each))) this.look(`${namespace}/${metadata.name}`);
      }),
    );
  }

  protected override async reconcile(key: string): Promise<undefined> {
    const { cache, writer, clock } = this.context;
    const budget = cache.tables.PodDisruptionBudget.get(key);
    if (budget === undefined) return;
    const pods = [...cache.tables.Pod.by('namespace', budget.metadata.namespace ?? '')];
    const own = pods.filter((pod) => selects(budget.spec, pod));
    await writer.status('PodDisruptionBudget', budget, budgetStatus(budget, own, clock.nowMs()));
  }
}

function selects(spec: PodDisruptionBudget['spec'], pod: Pod | undefined): boolean {
  return (
    pod !== undefined &&
    spec?.selector !== undefined &&
    matchesLabelSelector(spec.selector, pod.metadata.labels)
  );
}
