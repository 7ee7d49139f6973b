import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.scheduling.v1`, in the notation of {@link ApiTypes}. */
export const schedulingTypes = new ApiTypes(
  'io.k8s.api.scheduling.v1',
  `
PriorityClass: description string; globalDefault boolean; metadata meta.ObjectMeta;
  preemptionPolicy string = "PreemptLowerPriority"; value int32
`,
  { meta: metaTypes },
);
