import { ApiTypes } from '../api-types.ts';
import { coreTypes } from './core.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.batch.v1`, in the notation of {@link ApiTypes}. */
export const batchTypes = new ApiTypes(
  'io.k8s.api.batch.v1',
  `
Job: metadata meta.ObjectMeta; spec JobSpec; status JobStatus
JobSpec: activeDeadlineSeconds int64; backoffLimit int32; backoffLimitPerIndex int32;
  completionMode NonIndexed|Indexed; completions int32; managedBy string;
  manualSelector boolean; maxFailedIndexes int32; parallelism int32; podFailurePolicy PodFailurePolicy;
  podReplacementPolicy TerminatingOrFailed|Failed; selector meta.LabelSelector; successPolicy SuccessPolicy;
  suspend boolean; template! core.PodTemplateSpec; ttlSecondsAfterFinished int32
PodFailurePolicy: rules! [PodFailurePolicyRule] atomic
PodFailurePolicyRule: action! string; onExitCodes PodFailurePolicyOnExitCodesRequirement;
  onPodConditions [PodFailurePolicyOnPodConditionsPattern] atomic
PodFailurePolicyOnExitCodesRequirement: containerName string; operator! string; values! [int32] set replace
PodFailurePolicyOnPodConditionsPattern: status string; type! string
SuccessPolicy: rules! [SuccessPolicyRule] atomic
SuccessPolicyRule: succeededCount int32; succeededIndexes string
JobStatus: active int32; completedIndexes string; completionTime Time;
  conditions [JobCondition] atomic patch type; failed int32; failedIndexes string; ready int32;
  startTime Time; succeeded int32; terminating int32; uncountedTerminatedPods UncountedTerminatedPods
JobCondition: lastProbeTime Time; lastTransitionTime Time; message string; reason string; status string;
  type string
UncountedTerminatedPods: failed [string] set replace; succeeded [string] set replace
CronJob: metadata meta.ObjectMeta; spec! CronJobSpec; status CronJobStatus
CronJobSpec: concurrencyPolicy Allow|Forbid|Replace = "Allow"; failedJobsHistoryLimit int32 = 1;
  jobTemplate! JobTemplateSpec; schedule! string; startingDeadlineSeconds int64;
  successfulJobsHistoryLimit int32 = 3; suspend boolean = false; timeZone string
JobTemplateSpec: metadata meta.ObjectMeta; spec JobSpec
CronJobStatus: active [core.ObjectReference] atomic; lastScheduleTime Time; lastSuccessfulTime Time
`,
  { core: coreTypes, meta: metaTypes },
);
