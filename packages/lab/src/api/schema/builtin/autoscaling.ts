import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.autoscaling.v2`, in the notation of {@link ApiTypes}. */
export const autoscalingTypes = new ApiTypes(
  'io.k8s.api.autoscaling.v2',
  `
HorizontalPodAutoscaler: metadata meta.ObjectMeta; spec! HorizontalPodAutoscalerSpec;
  status HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerSpec: behavior HorizontalPodAutoscalerBehavior; maxReplicas! int32;
  metrics [MetricSpec] atomic; minReplicas int32 = 1; scaleTargetRef! CrossVersionObjectReference
HorizontalPodAutoscalerBehavior: scaleDown HPAScalingRules; scaleUp HPAScalingRules
HPAScalingRules: policies [HPAScalingPolicy] atomic; selectPolicy string; stabilizationWindowSeconds int32;
  tolerance Quantity
HPAScalingPolicy: periodSeconds! int32; type! string; value! int32
MetricSpec: containerResource ContainerResourceMetricSource; external ExternalMetricSource;
  object ObjectMetricSource; pods PodsMetricSource; resource ResourceMetricSource; type! string
ContainerResourceMetricSource: container! string; name! string; target! MetricTarget
MetricTarget: averageUtilization int32; averageValue Quantity; type! string; value Quantity
ExternalMetricSource: metric! MetricIdentifier; target! MetricTarget
MetricIdentifier: name! string; selector meta.LabelSelector
ObjectMetricSource: describedObject! CrossVersionObjectReference; metric! MetricIdentifier;
  target! MetricTarget
CrossVersionObjectReference: apiVersion string; kind! string; name! string
PodsMetricSource: metric! MetricIdentifier; target! MetricTarget
ResourceMetricSource: name! string; target! MetricTarget
HorizontalPodAutoscalerStatus: conditions [HorizontalPodAutoscalerCondition] by type;
  currentMetrics [MetricStatus] atomic; currentReplicas int32; desiredReplicas int32; lastScaleTime Time;
  observedGeneration int64
HorizontalPodAutoscalerCondition: lastTransitionTime Time; message string; reason string; status string;
  type string
MetricStatus: containerResource ContainerResourceMetricStatus; external ExternalMetricStatus;
  object ObjectMetricStatus; pods PodsMetricStatus; resource ResourceMetricStatus; type string
ContainerResourceMetricStatus: container string; current MetricValueStatus; name string
MetricValueStatus: averageUtilization int32; averageValue Quantity; value Quantity
ExternalMetricStatus: current MetricValueStatus; metric MetricIdentifier
ObjectMetricStatus: current MetricValueStatus; describedObject CrossVersionObjectReference;
  metric MetricIdentifier
PodsMetricStatus: current MetricValueStatus; metric MetricIdentifier
ResourceMetricStatus: current MetricValueStatus; name string
`,
  { meta: metaTypes },
);

/** Types of `io.k8s.api.autoscaling.v1`, in the notation of {@link ApiTypes}. */
export const autoscalingV1Types = new ApiTypes(
  'io.k8s.api.autoscaling.v1',
  `
HorizontalPodAutoscaler: metadata meta.ObjectMeta; spec! HorizontalPodAutoscalerSpec;
  status HorizontalPodAutoscalerStatus
HorizontalPodAutoscalerSpec: maxReplicas! int32; minReplicas int32 = 1;
  scaleTargetRef! CrossVersionObjectReference; targetCPUUtilizationPercentage int32
CrossVersionObjectReference atomic: apiVersion string; kind! string; name! string
HorizontalPodAutoscalerStatus: currentCPUUtilizationPercentage int32; currentReplicas int32;
  desiredReplicas int32; lastScaleTime Time; observedGeneration int64
`,
  { meta: metaTypes },
);
