import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.policy.v1`, in the notation of {@link ApiTypes}. */
export const policyTypes = new ApiTypes(
  'io.k8s.api.policy.v1',
  `
PodDisruptionBudget: metadata meta.ObjectMeta; spec PodDisruptionBudgetSpec; status PodDisruptionBudgetStatus
PodDisruptionBudgetSpec: maxUnavailable IntOrString; minAvailable IntOrString; selector meta.LabelSelector;
  unhealthyPodEvictionPolicy string
PodDisruptionBudgetStatus: conditions [meta.Condition] by type; currentHealthy int32; desiredHealthy int32;
  disruptedPods {Time}; disruptionsAllowed int32; expectedPods int32; observedGeneration int64
`,
  { meta: metaTypes },
);
