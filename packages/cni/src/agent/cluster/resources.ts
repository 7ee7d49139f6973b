// What the agent reads of the Kubernetes API beside pods and namespaces; only what is read is named.
import type { KubeObject, LabelSelector, LabelSelectorRequirement } from '@ambient/kube';

export interface NodeSelectorTerm {
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
  readonly matchFields?: readonly LabelSelectorRequirement[];
}

export type DaemonSet = KubeObject<{
  readonly template?: {
    readonly spec?: {
      readonly nodeSelector?: Readonly<Record<string, string>>;
      readonly affinity?: {
        readonly nodeAffinity?: {
          readonly requiredDuringSchedulingIgnoredDuringExecution?: {
            readonly nodeSelectorTerms?: readonly NodeSelectorTerm[];
          };
        };
      };
    };
  };
}>;

export interface NetworkPolicyPort {
  /** Absent means TCP. */
  readonly protocol?: string;
  /** A number or a container port's name; absent means all. */
  readonly port?: number | string;
  readonly endPort?: number;
}

export interface NetworkPolicyRule {
  /** Absent or empty means all ports. */
  readonly ports?: readonly NetworkPolicyPort[];
}

/** networking.k8s.io/v1. */
export type NetworkPolicy = KubeObject<{
  readonly podSelector?: LabelSelector;
  readonly ingress?: readonly NetworkPolicyRule[];
  readonly egress?: readonly NetworkPolicyRule[];
  readonly policyTypes?: readonly string[];
}>;

/** The DaemonSet of this agent, and where it stands. */
export const agentDaemonSet = 'istio-cni-node';

export function daemonSetsPath(namespace: string): string {
  return `/apis/apps/v1/namespaces/${encodeURIComponent(namespace)}/daemonsets`;
}

export function daemonSetPath(namespace: string): string {
  return `${daemonSetsPath(namespace)}/${agentDaemonSet}`;
}

export function podPath(namespace: string, name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods/${encodeURIComponent(name)}`;
}

export function namespacePath(name: string): string {
  return `/api/v1/namespaces/${encodeURIComponent(name)}`;
}
