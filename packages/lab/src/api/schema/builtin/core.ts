import { ApiTypes } from '../api-types.ts';
import { metaTypes } from './meta.ts';

/** Types of `io.k8s.api.core.v1`, in the notation of {@link ApiTypes}. */
export const coreTypes = new ApiTypes(
  'io.k8s.api.core.v1',
  `
Namespace: metadata meta.ObjectMeta; spec NamespaceSpec; status NamespaceStatus
NamespaceSpec: finalizers [string] atomic
NamespaceStatus: conditions [NamespaceCondition] by type; phase Active|Terminating
NamespaceCondition: lastTransitionTime Time; message string; reason string; status string; type string
Node: metadata meta.ObjectMeta; spec NodeSpec; status NodeStatus
NodeSpec: configSource NodeConfigSource; externalID string; podCIDR string; podCIDRs [string] set;
  providerID string; taints [Taint] atomic; unschedulable boolean
NodeConfigSource: configMap ConfigMapNodeConfigSource
ConfigMapNodeConfigSource: kubeletConfigKey! string; name! string; namespace! string; resourceVersion string;
  uid string
Taint: effect! NoSchedule|PreferNoSchedule|NoExecute; key! string; timeAdded Time; value string
NodeStatus: addresses [NodeAddress] by type; allocatable {Quantity}; capacity {Quantity};
  conditions [NodeCondition] by type; config NodeConfigStatus; daemonEndpoints NodeDaemonEndpoints;
  declaredFeatures [string] atomic; features NodeFeatures; images [ContainerImage] atomic;
  nodeInfo NodeSystemInfo; phase string; runtimeHandlers [NodeRuntimeHandler] atomic;
  volumesAttached [AttachedVolume] atomic; volumesInUse [string] atomic
NodeAddress: address! string; type! string
NodeCondition: lastHeartbeatTime Time; lastTransitionTime Time; message string; reason string; status string;
  type string
NodeConfigStatus: active NodeConfigSource; assigned NodeConfigSource; error string;
  lastKnownGood NodeConfigSource
NodeDaemonEndpoints: kubeletEndpoint DaemonEndpoint
DaemonEndpoint: Port! int32
NodeFeatures: supplementalGroupsPolicy boolean
ContainerImage: names [string] atomic; sizeBytes int64
NodeSystemInfo: architecture! string; bootID! string; containerRuntimeVersion! string; kernelVersion! string;
  kubeProxyVersion! string; kubeletVersion! string; machineID! string; operatingSystem! string;
  osImage! string; swap NodeSwapStatus; systemUUID! string
NodeSwapStatus: capacity int64
NodeRuntimeHandler: features NodeRuntimeHandlerFeatures; name string
NodeRuntimeHandlerFeatures: recursiveReadOnlyMounts boolean; userNamespaces boolean
AttachedVolume: devicePath! string; name! string
Pod: metadata meta.ObjectMeta; spec PodSpec; status PodStatus
PodSpec: activeDeadlineSeconds int64; affinity Affinity; automountServiceAccountToken boolean;
  containers! [Container] by name unique; dnsConfig PodDNSConfig;
  dnsPolicy ClusterFirst|ClusterFirstWithHostNet|Default|None = "ClusterFirst";
  enableServiceLinks boolean; ephemeralContainers [EphemeralContainer] by name;
  hostAliases [HostAlias] by ip; hostIPC boolean; hostNetwork boolean; hostPID boolean; hostUsers boolean;
  hostname string; hostnameOverride string; imagePullSecrets [LocalObjectReference] by name;
  initContainers [Container] by name unique; nodeName string; nodeSelector {string} atomic; os PodOS;
  overhead {Quantity}; preemptionPolicy PreemptLowerPriority|Never; priority int32; priorityClassName string;
  readinessGates [PodReadinessGate] atomic; resourceClaims [PodResourceClaim] by name retainKeys;
  resources ResourceRequirements; restartPolicy Always|OnFailure|Never = "Always"; runtimeClassName string;
  schedulerName string = "default-scheduler"; schedulingGates [PodSchedulingGate] by name;
  schedulingGroup PodSchedulingGroup; securityContext PodSecurityContext = {}; serviceAccount string;
  serviceAccountName string; setHostnameAsFQDN boolean; shareProcessNamespace boolean; subdomain string;
  terminationGracePeriodSeconds int64 = 30; tolerations [Toleration] atomic;
  topologySpreadConstraints [TopologySpreadConstraint] by topologyKey,whenUnsatisfiable;
  volumes [Volume] by name unique retainKeys
Affinity: nodeAffinity NodeAffinity; podAffinity PodAffinity; podAntiAffinity PodAntiAffinity
NodeAffinity: preferredDuringSchedulingIgnoredDuringExecution [PreferredSchedulingTerm] atomic;
  requiredDuringSchedulingIgnoredDuringExecution NodeSelector
PreferredSchedulingTerm: preference! NodeSelectorTerm; weight! int32
NodeSelectorTerm atomic: matchExpressions [NodeSelectorRequirement] atomic;
  matchFields [NodeSelectorRequirement] atomic
NodeSelectorRequirement: key! string; operator! string; values [string] atomic
NodeSelector atomic: nodeSelectorTerms! [NodeSelectorTerm] atomic
PodAffinity: preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm] atomic;
  requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm] atomic
WeightedPodAffinityTerm: podAffinityTerm! PodAffinityTerm; weight! int32
PodAffinityTerm: labelSelector meta.LabelSelector; matchLabelKeys [string] atomic;
  mismatchLabelKeys [string] atomic; namespaceSelector meta.LabelSelector; namespaces [string] atomic;
  topologyKey! string
PodAntiAffinity: preferredDuringSchedulingIgnoredDuringExecution [WeightedPodAffinityTerm] atomic;
  requiredDuringSchedulingIgnoredDuringExecution [PodAffinityTerm] atomic
Container: args [string] atomic; command [string] atomic; env [EnvVar] by name;
  envFrom [EnvFromSource] atomic; image string; imagePullPolicy Always|Never|IfNotPresent;
  lifecycle Lifecycle; livenessProbe Probe; name! string; ports [ContainerPort] by containerPort,protocol;
  readinessProbe Probe; resizePolicy [ContainerResizePolicy] atomic; resources ResourceRequirements = {};
  restartPolicy string; restartPolicyRules [ContainerRestartRule] atomic; securityContext SecurityContext;
  startupProbe Probe; stdin boolean; stdinOnce boolean;
  terminationMessagePath string = "/dev/termination-log";
  terminationMessagePolicy File|FallbackToLogsOnError = "File"; tty boolean;
  volumeDevices [VolumeDevice] by devicePath; volumeMounts [VolumeMount] by mountPath; workingDir string
EnvVar: name! string; value string; valueFrom EnvVarSource
EnvVarSource: configMapKeyRef ConfigMapKeySelector; fieldRef ObjectFieldSelector; fileKeyRef FileKeySelector;
  resourceFieldRef ResourceFieldSelector; secretKeyRef SecretKeySelector
ConfigMapKeySelector atomic: key! string; name string; optional boolean
ObjectFieldSelector atomic: apiVersion string = "v1"; fieldPath! string
FileKeySelector atomic: key! string; optional boolean; path! string; volumeName! string
ResourceFieldSelector atomic: containerName string; divisor Quantity; resource! string
SecretKeySelector atomic: key! string; name string; optional boolean
EnvFromSource: configMapRef ConfigMapEnvSource; prefix string; secretRef SecretEnvSource
ConfigMapEnvSource: name string; optional boolean
SecretEnvSource: name string; optional boolean
Lifecycle: postStart LifecycleHandler; preStop LifecycleHandler; stopSignal string
LifecycleHandler: exec ExecAction; httpGet HTTPGetAction; sleep SleepAction; tcpSocket TCPSocketAction
ExecAction: command [string] atomic
HTTPGetAction: host string; httpHeaders [HTTPHeader] atomic; path string = "/"; port! IntOrString;
  scheme HTTP|HTTPS = "HTTP"
HTTPHeader: name! string; value! string
SleepAction: seconds! int64
TCPSocketAction: host string; port! IntOrString
Probe: exec ExecAction; failureThreshold int32 = 3; grpc GRPCAction; httpGet HTTPGetAction;
  initialDelaySeconds int32; periodSeconds int32 = 10; successThreshold int32 = 1; tcpSocket TCPSocketAction;
  terminationGracePeriodSeconds int64; timeoutSeconds int32 = 1
GRPCAction: port! int32; service string
ContainerPort: containerPort! int32; hostIP string; hostPort int32; name string; protocol TCP|UDP|SCTP = "TCP"
ContainerResizePolicy: resourceName! string; restartPolicy! string
ResourceRequirements: claims [ResourceClaim] by name replace; limits {Quantity}; requests {Quantity}
ResourceClaim: name! string; request string
ContainerRestartRule: action! string; exitCodes ContainerRestartRuleOnExitCodes
ContainerRestartRuleOnExitCodes: operator! string; values [int32] set replace
SecurityContext: allowPrivilegeEscalation boolean; appArmorProfile AppArmorProfile; capabilities Capabilities;
  privileged boolean; procMount string; readOnlyRootFilesystem boolean; runAsGroup int64;
  runAsNonRoot boolean; runAsUser int64; seLinuxOptions SELinuxOptions; seccompProfile SeccompProfile;
  windowsOptions WindowsSecurityContextOptions
AppArmorProfile: localhostProfile string; type! string
Capabilities: add [string] atomic; drop [string] atomic
SELinuxOptions: level string; role string; type string; user string
SeccompProfile: localhostProfile string; type! string
WindowsSecurityContextOptions: gmsaCredentialSpec string; gmsaCredentialSpecName string; hostProcess boolean;
  runAsUserName string
VolumeDevice: devicePath! string; name! string
VolumeMount: mountPath! string; mountPropagation string; name! string; readOnly boolean;
  recursiveReadOnly string; subPath string; subPathExpr string
PodDNSConfig: nameservers [string] atomic; options [PodDNSConfigOption] atomic; searches [string] atomic
PodDNSConfigOption: name string; value string
EphemeralContainer: args [string] atomic; command [string] atomic; env [EnvVar] by name;
  envFrom [EnvFromSource] atomic; image string; imagePullPolicy string; lifecycle Lifecycle;
  livenessProbe Probe; name! string; ports [ContainerPort] by containerPort,protocol; readinessProbe Probe;
  resizePolicy [ContainerResizePolicy] atomic; resources ResourceRequirements; restartPolicy string;
  restartPolicyRules [ContainerRestartRule] atomic; securityContext SecurityContext; startupProbe Probe;
  stdin boolean; stdinOnce boolean; targetContainerName string; terminationMessagePath string;
  terminationMessagePolicy string; tty boolean; volumeDevices [VolumeDevice] by devicePath;
  volumeMounts [VolumeMount] by mountPath; workingDir string
HostAlias: hostnames [string] atomic; ip! string
LocalObjectReference atomic: name string
PodOS: name! string
PodReadinessGate: conditionType! string
PodResourceClaim: name! string; resourceClaimName string; resourceClaimTemplateName string
PodSchedulingGate: name! string
PodSchedulingGroup: podGroupName string
PodSecurityContext: appArmorProfile AppArmorProfile; fsGroup int64; fsGroupChangePolicy string;
  runAsGroup int64; runAsNonRoot boolean; runAsUser int64; seLinuxChangePolicy string;
  seLinuxOptions SELinuxOptions; seccompProfile SeccompProfile; supplementalGroups [int64] atomic;
  supplementalGroupsPolicy string; sysctls [Sysctl] atomic; windowsOptions WindowsSecurityContextOptions
Sysctl: name! string; value! string
Toleration: effect NoSchedule|PreferNoSchedule|NoExecute; key string; operator Exists|Equal|Lt|Gt;
  tolerationSeconds int64; value string
TopologySpreadConstraint: labelSelector meta.LabelSelector; matchLabelKeys [string] atomic; maxSkew! int32;
  minDomains int32; nodeAffinityPolicy string; nodeTaintsPolicy string; topologyKey! string;
  whenUnsatisfiable! DoNotSchedule|ScheduleAnyway
Volume: awsElasticBlockStore any; azureDisk any; azureFile any; cephfs any; cinder any;
  configMap ConfigMapVolumeSource; csi CSIVolumeSource; downwardAPI DownwardAPIVolumeSource;
  emptyDir EmptyDirVolumeSource; ephemeral any; fc any; flexVolume any; flocker any; gcePersistentDisk any;
  gitRepo any; glusterfs any; hostPath HostPathVolumeSource; image ImageVolumeSource; iscsi any; name! string;
  nfs NFSVolumeSource; persistentVolumeClaim PersistentVolumeClaimVolumeSource; photonPersistentDisk any;
  portworxVolume any; projected ProjectedVolumeSource; quobyte any; rbd any; scaleIO any;
  secret SecretVolumeSource; storageos any; vsphereVolume any
ConfigMapVolumeSource: defaultMode int32 = 420; items [KeyToPath] atomic; name string; optional boolean
KeyToPath: key! string; mode int32; path! string
CSIVolumeSource: driver! string; fsType string; nodePublishSecretRef LocalObjectReference; readOnly boolean;
  volumeAttributes {string}
DownwardAPIVolumeSource: defaultMode int32 = 420; items [DownwardAPIVolumeFile] atomic
DownwardAPIVolumeFile: fieldRef ObjectFieldSelector; mode int32; path! string;
  resourceFieldRef ResourceFieldSelector
EmptyDirVolumeSource: medium string; sizeLimit Quantity
HostPathVolumeSource: path! string; type string = ""
ImageVolumeSource: pullPolicy string; reference string
NFSVolumeSource: path! string; readOnly boolean; server! string
PersistentVolumeClaimVolumeSource: claimName! string; readOnly boolean
ProjectedVolumeSource: defaultMode int32 = 420; sources [VolumeProjection] atomic
VolumeProjection: clusterTrustBundle ClusterTrustBundleProjection; configMap ConfigMapProjection;
  downwardAPI DownwardAPIProjection; podCertificate PodCertificateProjection; secret SecretProjection;
  serviceAccountToken ServiceAccountTokenProjection
ClusterTrustBundleProjection: labelSelector meta.LabelSelector; name string; optional boolean; path! string;
  signerName string
ConfigMapProjection: items [KeyToPath] atomic; name string; optional boolean
DownwardAPIProjection: items [DownwardAPIVolumeFile] atomic
PodCertificateProjection: certificateChainPath string; credentialBundlePath string; keyPath string;
  keyType! string; maxExpirationSeconds int32; signerName! string; userAnnotations {string}
SecretProjection: items [KeyToPath] atomic; name string; optional boolean
ServiceAccountTokenProjection: audience string; expirationSeconds int64 = 3600; path! string
SecretVolumeSource: defaultMode int32 = 420; items [KeyToPath] atomic; optional boolean; secretName string
PodStatus: allocatedResources {Quantity}; conditions [PodCondition] by type;
  containerStatuses [ContainerStatus] atomic; ephemeralContainerStatuses [ContainerStatus] atomic;
  extendedResourceClaimStatus PodExtendedResourceClaimStatus; hostIP string; hostIPs [HostIP] atomic patch ip;
  initContainerStatuses [ContainerStatus] atomic; message string;
  nodeAllocatableResourceClaimStatuses [NodeAllocatableResourceClaimStatus] atomic; nominatedNodeName string;
  observedGeneration int64; phase Pending|Running|Succeeded|Failed|Unknown; podIP string;
  podIPs [PodIP] by ip; qosClass string; reason string; resize string;
  resourceClaimStatuses [PodResourceClaimStatus] by name retainKeys; resources ResourceRequirements;
  startTime Time
PodCondition: lastProbeTime Time; lastTransitionTime Time; message string; observedGeneration int64;
  reason string; status string; type string
ContainerStatus: allocatedResources {Quantity}; allocatedResourcesStatus [ResourceStatus] by name;
  containerID string; image string; imageID string; lastState ContainerState; name string; ready boolean;
  resources ResourceRequirements; restartCount int32; started boolean; state ContainerState;
  stopSignal string; user ContainerUser; volumeMounts [VolumeMountStatus] by mountPath
ResourceStatus: name string; resources [ResourceHealth] by resourceID replace
ResourceHealth: health string; message string; resourceID! string
ContainerState: running ContainerStateRunning; terminated ContainerStateTerminated;
  waiting ContainerStateWaiting
ContainerStateRunning: startedAt Time
ContainerStateTerminated: containerID string; exitCode int32; finishedAt Time; message string; reason string;
  signal int32; startedAt Time
ContainerStateWaiting: message string; reason string
ContainerUser: linux LinuxContainerUser
LinuxContainerUser: gid! int64; supplementalGroups [int64] atomic; uid! int64
VolumeMountStatus: mountPath string; name string; readOnly boolean; recursiveReadOnly string;
  volumeStatus VolumeStatus
VolumeStatus: image ImageVolumeStatus
ImageVolumeStatus: imageRef string
PodExtendedResourceClaimStatus: requestMappings [ContainerExtendedResourceRequest] atomic;
  resourceClaimName string
ContainerExtendedResourceRequest: containerName! string; requestName! string; resourceName! string
HostIP: ip! string
NodeAllocatableResourceClaimStatus: containers [string] set replace; resourceClaimName string;
  resources {Quantity}
PodIP: ip! string
PodResourceClaimStatus: name string; resourceClaimName string
Service: metadata meta.ObjectMeta; spec ServiceSpec; status ServiceStatus
ServiceSpec: allocateLoadBalancerNodePorts boolean; clusterIP string; clusterIPs [string] atomic;
  externalIPs [string] atomic; externalName string; externalTrafficPolicy Cluster|Local;
  healthCheckNodePort int32; internalTrafficPolicy Cluster|Local; ipFamilies [string] atomic;
  ipFamilyPolicy SingleStack|PreferDualStack|RequireDualStack; loadBalancerClass string;
  loadBalancerIP string; loadBalancerSourceRanges [string] atomic; ports [ServicePort] by port,protocol unique;
  publishNotReadyAddresses boolean; selector {string} atomic; sessionAffinity None|ClientIP = "None";
  sessionAffinityConfig SessionAffinityConfig; trafficDistribution PreferClose|PreferSameZone|PreferSameNode;
  type ClusterIP|NodePort|LoadBalancer|ExternalName = "ClusterIP"
ServicePort: appProtocol string; name string; nodePort int32; port! int32; protocol TCP|UDP|SCTP = "TCP";
  targetPort IntOrString
SessionAffinityConfig: clientIP ClientIPConfig
ClientIPConfig: timeoutSeconds int32
ServiceStatus: conditions [meta.Condition] by type; loadBalancer LoadBalancerStatus
LoadBalancerStatus: ingress [LoadBalancerIngress] atomic
LoadBalancerIngress: hostname string; ip string; ipMode string; ports [PortStatus] atomic
PortStatus: error string; port int32; protocol string
ServiceAccount: automountServiceAccountToken boolean; imagePullSecrets [LocalObjectReference] atomic;
  metadata meta.ObjectMeta; secrets [ObjectReference] by name
ObjectReference atomic: apiVersion string; fieldPath string; kind string; name string; namespace string;
  resourceVersion string; uid string
ConfigMap: binaryData {bytes}; data {string}; immutable boolean; metadata meta.ObjectMeta
Secret: data {bytes}; immutable boolean; metadata meta.ObjectMeta; stringData {string}; type string = "Opaque"
Event: action string; count int32; eventTime MicroTime; firstTimestamp Time; involvedObject! ObjectReference;
  lastTimestamp Time; message string; metadata meta.ObjectMeta; reason string; related ObjectReference;
  reportingComponent string; reportingInstance string; series EventSeries; source EventSource; type string
EventSeries: count int32; lastObservedTime MicroTime
EventSource: component string; host string
Endpoints: metadata meta.ObjectMeta; subsets [EndpointSubset] atomic
EndpointSubset: addresses [EndpointAddress] atomic; notReadyAddresses [EndpointAddress] atomic;
  ports [EndpointPort] atomic
EndpointAddress atomic: hostname string; ip! string; nodeName string; targetRef ObjectReference
EndpointPort atomic: appProtocol string; name string; port! int32; protocol TCP|UDP|SCTP = "TCP"
PersistentVolumeClaim: metadata meta.ObjectMeta; spec PersistentVolumeClaimSpec;
  status PersistentVolumeClaimStatus
PersistentVolumeClaimSpec: accessModes [string] atomic; dataSource TypedLocalObjectReference;
  dataSourceRef TypedObjectReference; resources VolumeResourceRequirements; selector meta.LabelSelector;
  storageClassName string; volumeAttributesClassName string; volumeMode Block|Filesystem = "Filesystem";
  volumeName string
TypedLocalObjectReference atomic: apiGroup string; kind! string; name! string
TypedObjectReference: apiGroup string; kind! string; name! string; namespace string
VolumeResourceRequirements: limits {Quantity}; requests {Quantity}
PersistentVolumeClaimStatus: accessModes [string] atomic; allocatedResourceStatuses {string};
  allocatedResources {Quantity}; capacity {Quantity}; conditions [PersistentVolumeClaimCondition] by type;
  currentVolumeAttributesClassName string; modifyVolumeStatus ModifyVolumeStatus; phase string
PersistentVolumeClaimCondition: lastProbeTime Time; lastTransitionTime Time; message string; reason string;
  status string; type string
ModifyVolumeStatus: status string; targetVolumeAttributesClassName string
ReplicationController: metadata meta.ObjectMeta; spec ReplicationControllerSpec;
  status ReplicationControllerStatus
ReplicationControllerSpec: minReadySeconds int32; replicas int32 = 1; selector {string} atomic;
  template PodTemplateSpec
PodTemplateSpec: metadata meta.ObjectMeta; spec PodSpec
ReplicationControllerStatus: availableReplicas int32; conditions [ReplicationControllerCondition] by type;
  fullyLabeledReplicas int32; observedGeneration int64; readyReplicas int32; replicas int32
ReplicationControllerCondition: lastTransitionTime Time; message string; reason string; status string;
  type string
LimitRange: metadata meta.ObjectMeta; spec LimitRangeSpec
LimitRangeSpec: limits! [LimitRangeItem] atomic
LimitRangeItem: default {Quantity}; defaultRequest {Quantity}; max {Quantity};
  maxLimitRequestRatio {Quantity}; min {Quantity}; type! string
ResourceQuota: metadata meta.ObjectMeta; spec ResourceQuotaSpec; status ResourceQuotaStatus
ResourceQuotaSpec: hard {Quantity}; scopeSelector ScopeSelector; scopes [string] atomic
ScopeSelector atomic: matchExpressions [ScopedResourceSelectorRequirement] atomic
ScopedResourceSelectorRequirement: operator! string; scopeName! string; values [string] atomic
ResourceQuotaStatus: hard {Quantity}; used {Quantity}
PersistentVolume: metadata meta.ObjectMeta; spec PersistentVolumeSpec; status PersistentVolumeStatus
PersistentVolumeSpec: accessModes [string] atomic; awsElasticBlockStore any; azureDisk any; azureFile any;
  capacity {Quantity}; cephfs any; cinder any; claimRef ObjectReference; csi CSIPersistentVolumeSource;
  fc any; flexVolume any; flocker any; gcePersistentDisk any; glusterfs any; hostPath HostPathVolumeSource;
  iscsi any; local any; mountOptions [string] atomic; nfs NFSVolumeSource; nodeAffinity any;
  persistentVolumeReclaimPolicy string; photonPersistentDisk any; portworxVolume any; quobyte any; rbd any;
  scaleIO any; storageClassName string; storageos any; volumeAttributesClassName string; volumeMode string;
  vsphereVolume any
CSIPersistentVolumeSource: controllerExpandSecretRef SecretReference;
  controllerPublishSecretRef SecretReference; driver! string; fsType string;
  nodeExpandSecretRef SecretReference; nodePublishSecretRef SecretReference;
  nodeStageSecretRef SecretReference; readOnly boolean; volumeAttributes {string}; volumeHandle! string
SecretReference atomic: name string; namespace string
PersistentVolumeStatus: lastPhaseTransitionTime Time; message string; phase string; reason string
TopologySelectorTerm atomic: matchLabelExpressions [TopologySelectorLabelRequirement] atomic
TopologySelectorLabelRequirement: key! string; values! [string] atomic
`,
  { meta: metaTypes },
);
