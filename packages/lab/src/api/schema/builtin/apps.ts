import { ApiTypes } from '../api-types.ts';
import { coreTypes } from './core.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.apps.v1`, in the notation of {@link ApiTypes}. */
export const appsTypes = new ApiTypes(
  'io.k8s.api.apps.v1',
  `
ControllerRevision: data any; metadata meta.ObjectMeta; revision! int64
Deployment: metadata meta.ObjectMeta; spec DeploymentSpec; status DeploymentStatus
DeploymentSpec: minReadySeconds int32; paused boolean; progressDeadlineSeconds int32 = 600;
  replicas int32 = 1; revisionHistoryLimit int32 = 10; selector! meta.LabelSelector;
  strategy DeploymentStrategy = {"type":"RollingUpdate","rollingUpdate":{"maxSurge":"25%","maxUnavailable":"25%"}};
  template! core.PodTemplateSpec
DeploymentStrategy: rollingUpdate RollingUpdateDeployment; type Recreate|RollingUpdate = "RollingUpdate"
RollingUpdateDeployment: maxSurge IntOrString; maxUnavailable IntOrString
DeploymentStatus: availableReplicas int32; collisionCount int32; conditions [DeploymentCondition] by type;
  observedGeneration int64; readyReplicas int32; replicas int32; terminatingReplicas int32;
  unavailableReplicas int32; updatedReplicas int32
DeploymentCondition: lastTransitionTime Time; lastUpdateTime Time; message string; reason string;
  status string; type string
DaemonSet: metadata meta.ObjectMeta; spec DaemonSetSpec; status DaemonSetStatus
DaemonSetSpec: minReadySeconds int32; revisionHistoryLimit int32 = 10; selector! meta.LabelSelector;
  template! core.PodTemplateSpec;
  updateStrategy DaemonSetUpdateStrategy = {"type":"RollingUpdate","rollingUpdate":{"maxSurge":0,"maxUnavailable":1}}
DaemonSetUpdateStrategy: rollingUpdate RollingUpdateDaemonSet; type string
RollingUpdateDaemonSet: maxSurge IntOrString; maxUnavailable IntOrString
DaemonSetStatus: collisionCount int32; conditions [DaemonSetCondition] by type; currentNumberScheduled int32;
  desiredNumberScheduled int32; numberAvailable int32; numberMisscheduled int32; numberReady int32;
  numberUnavailable int32; observedGeneration int64; updatedNumberScheduled int32
DaemonSetCondition: lastTransitionTime Time; message string; reason string; status string; type string
ReplicaSet: metadata meta.ObjectMeta; spec ReplicaSetSpec; status ReplicaSetStatus
ReplicaSetSpec: minReadySeconds int32; replicas int32 = 1; selector! meta.LabelSelector;
  template core.PodTemplateSpec
ReplicaSetStatus: availableReplicas int32; conditions [ReplicaSetCondition] by type;
  fullyLabeledReplicas int32; observedGeneration int64; readyReplicas int32; replicas int32;
  terminatingReplicas int32
ReplicaSetCondition: lastTransitionTime Time; message string; reason string; status string; type string
StatefulSet: metadata meta.ObjectMeta; spec StatefulSetSpec; status StatefulSetStatus
StatefulSetSpec: minReadySeconds int32; ordinals StatefulSetOrdinals;
  persistentVolumeClaimRetentionPolicy StatefulSetPersistentVolumeClaimRetentionPolicy;
  podManagementPolicy OrderedReady|Parallel = "OrderedReady"; replicas int32 = 1;
  revisionHistoryLimit int32 = 10; selector meta.LabelSelector; serviceName string;
  template core.PodTemplateSpec;
  updateStrategy StatefulSetUpdateStrategy = {"type":"RollingUpdate","rollingUpdate":{"partition":0}};
  volumeClaimTemplates [core.PersistentVolumeClaim] atomic
StatefulSetOrdinals: start int32
StatefulSetPersistentVolumeClaimRetentionPolicy: whenDeleted string; whenScaled string
StatefulSetUpdateStrategy: rollingUpdate RollingUpdateStatefulSetStrategy; type string
RollingUpdateStatefulSetStrategy: maxUnavailable IntOrString; partition int32
StatefulSetStatus: availableReplicas int32; collisionCount int32; conditions [StatefulSetCondition] by type;
  currentReplicas int32; currentRevision string; observedGeneration int64; readyReplicas int32;
  replicas int32; updateRevision string; updatedReplicas int32
StatefulSetCondition: lastTransitionTime Time; message string; reason string; status string; type string
`,
  { core: coreTypes, meta: metaTypes },
);
