// What the agent reads of the Kubernetes API beside pods and namespaces; only what is read is named.
import type { KubeObject, LabelSelector, NodeSelection } from '@ambient/kube';

export type DaemonSet = KubeObject<{ readonly template?: { readonly spec?: NodeSelection } }>;

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

/** The DaemonSet of this agent. */
export const agentDaemonSet = 'istio-cni-node';
