// The Kubernetes objects that the controllers read and write, as parsed JSON. Only what is read is named; the rest comes
// along, since templates are copied whole.
import type {
  Condition,
  ConfigMap,
  EndpointSlice,
  KubeObject,
  LabelSelector,
  Lease,
  Namespace,
  ObjectMeta,
  Service,
} from '@ambient/kube';

import type { Affinity, Container, Pod, PodAffinityTerm, PodSpec, Toleration } from '../objects/pod.ts';

export type Labels = Readonly<Record<string, string>>;
/** A number, or a share such as `25%`. */
export type IntOrPercent = number | string;

export interface Taint {
  readonly key: string;
  readonly value?: string;
  readonly effect: string;
  readonly timeAdded?: string;
}

export interface PodTemplate {
  readonly metadata?: { readonly labels?: Labels; readonly annotations?: Labels };
  readonly spec?: PodSpec;
}

interface WorkloadSpec {
  readonly selector?: LabelSelector;
  readonly template?: PodTemplate;
  readonly minReadySeconds?: number;
}

export interface ReplicaSetSpec extends WorkloadSpec {
  readonly replicas?: number;
}

export interface ReplicaSetStatus {
  readonly replicas?: number;
  readonly fullyLabeledReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly observedGeneration?: number;
  readonly conditions?: readonly Condition[];
}

export type ReplicaSet = KubeObject<ReplicaSetSpec, ReplicaSetStatus>;

export interface DeploymentSpec extends WorkloadSpec {
  readonly replicas?: number;
  readonly paused?: boolean;
  readonly progressDeadlineSeconds?: number;
  readonly revisionHistoryLimit?: number;
  readonly strategy?: {
    readonly type?: string;
    readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent };
  };
}

/** A condition of a Deployment also says when it was last written. */
export interface DeploymentCondition extends Condition {
  readonly lastUpdateTime?: string;
}

export interface DeploymentStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly updatedReplicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly unavailableReplicas?: number;
  readonly collisionCount?: number;
  readonly conditions?: readonly DeploymentCondition[];
}

export type Deployment = KubeObject<DeploymentSpec, DeploymentStatus>;

export interface DaemonSetSpec extends WorkloadSpec {
  readonly revisionHistoryLimit?: number;
  readonly updateStrategy?: {
    readonly type?: string;
    readonly rollingUpdate?: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent };
  };
}

export interface DaemonSetStatus {
  readonly currentNumberScheduled?: number;
  readonly numberMisscheduled?: number;
  readonly desiredNumberScheduled?: number;
  readonly numberReady?: number;
  readonly observedGeneration?: number;
  readonly updatedNumberScheduled?: number;
  readonly numberAvailable?: number;
  readonly numberUnavailable?: number;
}

export type DaemonSet = KubeObject<DaemonSetSpec, DaemonSetStatus>;

export interface StatefulSetSpec extends WorkloadSpec {
  readonly replicas?: number;
  readonly serviceName?: string;
  readonly podManagementPolicy?: string;
  readonly revisionHistoryLimit?: number;
  readonly ordinals?: { readonly start?: number };
  readonly updateStrategy?: {
    readonly type?: string;
    readonly rollingUpdate?: { readonly partition?: number };
  };
}

export interface StatefulSetStatus {
  readonly observedGeneration?: number;
  readonly replicas?: number;
  readonly readyReplicas?: number;
  readonly availableReplicas?: number;
  readonly currentReplicas?: number;
  readonly updatedReplicas?: number;
  readonly currentRevision?: string;
  readonly updateRevision?: string;
}

export type StatefulSet = KubeObject<StatefulSetSpec, StatefulSetStatus>;

/** apps/v1: `data` and `revision` stand beside metadata. */
export interface ControllerRevision extends KubeObject {
  readonly data?: unknown;
  readonly revision: number;
}

export interface JobSpec extends WorkloadSpec {
  readonly parallelism?: number;
  /** Absent: one pod that succeeds is enough. */
  readonly completions?: number;
  readonly completionMode?: string;
  readonly backoffLimit?: number;
  readonly activeDeadlineSeconds?: number;
  readonly ttlSecondsAfterFinished?: number;
  readonly suspend?: boolean;
}

export interface JobStatus {
  readonly startTime?: string;
  readonly completionTime?: string;
  readonly active?: number;
  readonly ready?: number;
  readonly succeeded?: number;
  readonly failed?: number;
  readonly terminating?: number;
  readonly completedIndexes?: string;
  readonly conditions?: readonly Condition[];
}

export type Job = KubeObject<JobSpec, JobStatus>;

export interface NodeCondition extends Condition {
  readonly lastHeartbeatTime?: string;
}

export type Node = KubeObject<
  { readonly taints?: readonly Taint[]; readonly unschedulable?: boolean },
  {
    readonly conditions?: readonly NodeCondition[];
    readonly allocatable?: Labels;
  }
>;

export interface PodDisruptionBudgetStatus {
  readonly observedGeneration?: number;
  readonly currentHealthy?: number;
  readonly desiredHealthy?: number;
  readonly disruptionsAllowed?: number;
  readonly expectedPods?: number;
  readonly conditions?: readonly Condition[];
}

export type PodDisruptionBudget = KubeObject<
  {
    readonly minAvailable?: IntOrPercent;
    readonly maxUnavailable?: IntOrPercent;
    readonly selector?: LabelSelector;
  },
  PodDisruptionBudgetStatus
>;

export type {
  Affinity,
  Condition,
  ConfigMap,
  Container,
  EndpointSlice,
  KubeObject,
  LabelSelector,
  ObjectMeta,
  Pod,
  PodAffinityTerm,
  PodSpec,
  Service,
  Toleration,
};

/** Every kind that controllers follow. */
export interface FollowedObjects {
  ConfigMap: ConfigMap;
  ControllerRevision: ControllerRevision;
  DaemonSet: DaemonSet;
  Deployment: Deployment;
  EndpointSlice: EndpointSlice;
  Job: Job;
  Lease: Lease;
  Namespace: Namespace;
  Node: Node;
  Pod: Pod;
  PodDisruptionBudget: PodDisruptionBudget;
  ReplicaSet: ReplicaSet;
  Service: Service;
  StatefulSet: StatefulSet;
}

export type FollowedKind = keyof FollowedObjects;
