import { matchesLabelSelector } from '@ambient/kube/label-selector';

import { ApiError } from '../errors.ts';
import { isJsonObject, valueAt } from '../object.ts';
import type { ApiObject } from '../object.ts';

/** The disruption budgets of a namespace. */
export type BudgetsOf = (namespace: string) => Iterable<ApiObject>;

/**
 * Refuses the eviction of a pod for which a budget has none left. A budget that no controller counts for refuses nothing.
 *
 * @throws ApiError 429
 */
export function refuseBeyondBudget(pod: ApiObject, budgets: BudgetsOf): void {
  if (valueAt(pod, ['status', 'phase']) === 'Pending' || pod.metadata.deletionTimestamp !== undefined) return;
  for (const budget of budgets(pod.metadata.namespace ?? '')) {
    const selector = valueAt(budget, ['spec', 'selector']);
    if (!isJsonObject(selector) || !matchesLabelSelector(selector, pod.metadata.labels)) continue;
    const counted = valueAt(budget, ['status', 'observedGeneration']) !== undefined;
    const left = valueAt(budget, ['status', 'disruptionsAllowed']);
    if (!counted || (typeof left === 'number' && left > 0)) continue;
    throw new ApiError(
      429,
      'TooManyRequests',
      "Cannot evict pod as it would violate the pod's disruption budget.",
      {
        causes: [
          {
            reason: 'DisruptionBudget',
            message: `The disruption budget ${budget.metadata.name} allows no further disruption`,
            field: '',
          },
        ],
      },
    );
  }
}
