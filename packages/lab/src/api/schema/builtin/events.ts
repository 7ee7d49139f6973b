import { ApiTypes } from '../api-types.ts';
import { coreTypes } from './core.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.events.v1`, in the notation of {@link ApiTypes}. */
export const eventsTypes = new ApiTypes(
  'io.k8s.api.events.v1',
  `
Event: action string; deprecatedCount int32; deprecatedFirstTimestamp Time; deprecatedLastTimestamp Time;
  deprecatedSource core.EventSource; eventTime! MicroTime; metadata meta.ObjectMeta; note string;
  reason string; regarding core.ObjectReference; related core.ObjectReference; reportingController string;
  reportingInstance string; series EventSeries; type string
EventSeries: count! int32; lastObservedTime! MicroTime
`,
  { core: coreTypes, meta: metaTypes },
);
