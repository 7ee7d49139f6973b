// The Kubernetes objects that the control plane reads, as parsed JSON. Structural and minimal: only what is
// read is named, and whatever the API lets a user leave out is optional, so that a translator has to say what
// absence means. Nothing here is checked: an object of a custom resource may hold any JSON where its schema is
// absent or older (see validation/).
import type { ReferenceGrant, Route } from './route-objects.ts';

export interface OwnerReference {
  readonly apiVersion: string;
  readonly kind: string;
  readonly name: string;
  readonly uid: string;
  readonly controller?: boolean;
}

export interface ObjectMeta {
  readonly name: string;
  /** Absent for objects of the cluster (Namespace, Node, GatewayClass). */
  readonly namespace?: string;
  readonly uid: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
  /** RFC 3339, to the second. */
  readonly creationTimestamp?: string;
  readonly deletionTimestamp?: string;
  readonly resourceVersion?: string;
  readonly generation?: number;
  readonly generateName?: string;
  readonly ownerReferences?: readonly OwnerReference[];
  readonly finalizers?: readonly string[];
}

/** What all kinds share. */
export interface KubeObject<Spec = unknown, Status = unknown> {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: ObjectMeta;
  readonly spec?: Spec;
  readonly status?: Status;
}

/** metav1.Condition. `type` has a prefix (`istio.io/`) on kinds that Istio does not own. */
export interface Condition {
  readonly type: string;
  readonly status: 'True' | 'False' | 'Unknown';
  readonly reason?: string;
  readonly message?: string;
  readonly observedGeneration?: number;
  readonly lastTransitionTime?: string;
}

export interface LabelSelectorRequirement {
  readonly key: string;
  readonly operator: string;
  readonly values?: readonly string[];
}

/** metav1.LabelSelector. Empty selects everything. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
}

export type Namespace = KubeObject<unknown, { readonly phase?: string }>;
export type Node = KubeObject<unknown, unknown>;

export interface ContainerPort {
  readonly name?: string;
  readonly containerPort: number;
  /** Absent means TCP. */
  readonly protocol?: string;
}

export interface Container {
  readonly name: string;
  readonly ports?: readonly ContainerPort[];
  /** `Always` on an init container makes it a sidecar that keeps running. */
  readonly restartPolicy?: string;
}

export interface PodSpec {
  readonly nodeName?: string;
  readonly serviceAccountName?: string;
  readonly hostNetwork?: boolean;
  readonly containers?: readonly Container[];
  readonly initContainers?: readonly Container[];
}

export interface PodStatus {
  readonly phase?: string;
  readonly podIP?: string;
  readonly podIPs?: readonly { readonly ip?: string }[];
  readonly conditions?: readonly Condition[];
}

export type Pod = KubeObject<PodSpec, PodStatus>;

export interface ServicePort {
  readonly name?: string;
  readonly port: number;
  /** A number, or the name of a container port. Absent means `port`. */
  readonly targetPort?: number | string;
  /** Absent means TCP. */
  readonly protocol?: string;
  readonly appProtocol?: string;
  /** On every node, for Services of type NodePort and LoadBalancer. */
  readonly nodePort?: number;
}

export interface ServiceSpec {
  readonly type?: string;
  readonly selector?: Readonly<Record<string, string>>;
  readonly clusterIP?: string;
  readonly clusterIPs?: readonly string[];
  readonly ports?: readonly ServicePort[];
  readonly ipFamilies?: readonly string[];
  readonly ipFamilyPolicy?: string;
  readonly internalTrafficPolicy?: string;
  readonly externalTrafficPolicy?: string;
  readonly trafficDistribution?: string;
  readonly publishNotReadyAddresses?: boolean;
  /** Of type ExternalName: a DNS name. */
  readonly externalName?: string;
  readonly externalIPs?: readonly string[];
  /** ClientIP or None. */
  readonly sessionAffinity?: string;
  readonly sessionAffinityConfig?: { readonly clientIP?: { readonly timeoutSeconds?: number } };
}

export interface ServiceStatus {
  readonly conditions?: readonly Condition[];
  readonly loadBalancer?: { readonly ingress?: readonly { readonly ip?: string }[] };
}

export type Service = KubeObject<ServiceSpec, ServiceStatus>;

export interface ObjectReference {
  readonly kind?: string;
  readonly namespace?: string;
  readonly name?: string;
  readonly uid?: string;
}

export interface Endpoint {
  readonly addresses?: readonly string[];
  readonly conditions?: {
    /** Absent or null counts as ready. */
    readonly ready?: boolean | null;
    readonly serving?: boolean | null;
    readonly terminating?: boolean | null;
  };
  readonly hostname?: string;
  readonly nodeName?: string;
  readonly zone?: string;
  readonly targetRef?: ObjectReference;
}

export interface EndpointSlicePort {
  readonly name?: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly appProtocol?: string;
}

/** discovery.k8s.io/v1: its fields stand beside metadata, not under `spec`. */
export interface EndpointSlice extends KubeObject {
  readonly addressType?: string;
  readonly endpoints?: readonly Endpoint[] | null;
  readonly ports?: readonly EndpointSlicePort[] | null;
}

/** networking.istio.io WorkloadEntry, also the inline endpoint of a ServiceEntry. */
export interface WorkloadEntrySpec {
  readonly address?: string;
  /** Port name of the service to the port of this endpoint. */
  readonly ports?: Readonly<Record<string, number>>;
  readonly labels?: Readonly<Record<string, string>>;
  readonly network?: string;
  /** `region/zone/subzone`, later parts optional. */
  readonly locality?: string;
  readonly weight?: number;
  readonly serviceAccount?: string;
}

export type WorkloadEntry = KubeObject<WorkloadEntrySpec, { readonly conditions?: readonly Condition[] }>;

export interface ServiceEntryPort {
  readonly number?: number;
  readonly name?: string;
  readonly protocol?: string;
  readonly targetPort?: number;
}

export interface ServiceEntrySpec {
  readonly hosts?: readonly string[];
  readonly addresses?: readonly string[];
  readonly ports?: readonly ServiceEntryPort[];
  readonly location?: string;
  /** NONE, STATIC, DNS, DNS_ROUND_ROBIN, DYNAMIC_DNS. Absent means NONE. */
  readonly resolution?: string;
  readonly endpoints?: readonly WorkloadEntrySpec[];
  readonly workloadSelector?: { readonly labels?: Readonly<Record<string, string>> };
  readonly exportTo?: readonly string[];
  readonly subjectAltNames?: readonly string[];
}

export interface ServiceEntryStatus {
  readonly conditions?: readonly Condition[];
  readonly addresses?: readonly { readonly value?: string; readonly host?: string }[];
}

export type ServiceEntry = KubeObject<ServiceEntrySpec, ServiceEntryStatus>;

export interface GatewayListener {
  readonly name: string;
  readonly port?: number;
  readonly protocol?: string;
  readonly hostname?: string;
  readonly allowedRoutes?: {
    readonly namespaces?: {
      /** All, Selector, Same (the default) or None. */
      readonly from?: string;
      readonly selector?: LabelSelector;
    };
    readonly kinds?: readonly { readonly group?: string; readonly kind: string }[];
  };
}

export interface GatewaySpec {
  readonly gatewayClassName?: string;
  readonly listeners?: readonly GatewayListener[];
  readonly addresses?: readonly { readonly type?: string; readonly value?: string }[];
  readonly infrastructure?: {
    readonly labels?: Readonly<Record<string, string>>;
    readonly annotations?: Readonly<Record<string, string>>;
  };
}

export interface GatewayStatus {
  readonly addresses?: readonly { readonly type?: string; readonly value?: string }[];
  readonly conditions?: readonly Condition[];
}

/** gateway.networking.k8s.io, not networking.istio.io. */
export type Gateway = KubeObject<GatewaySpec, GatewayStatus>;

export type GatewayClass = KubeObject<
  { readonly controllerName?: string },
  { readonly conditions?: readonly Condition[] }
>;

export interface PolicySelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
}

export interface PolicyTargetReference {
  readonly group?: string;
  readonly kind?: string;
  readonly name?: string;
  readonly namespace?: string;
}

/** security.istio.io `rules[].from[].source`. */
export interface AuthorizationSource {
  readonly principals?: readonly string[];
  readonly notPrincipals?: readonly string[];
  readonly requestPrincipals?: readonly string[];
  readonly notRequestPrincipals?: readonly string[];
  readonly namespaces?: readonly string[];
  readonly notNamespaces?: readonly string[];
  readonly serviceAccounts?: readonly string[];
  readonly notServiceAccounts?: readonly string[];
  readonly ipBlocks?: readonly string[];
  readonly notIpBlocks?: readonly string[];
  readonly remoteIpBlocks?: readonly string[];
  readonly notRemoteIpBlocks?: readonly string[];
  readonly trustDomains?: readonly string[];
  readonly notTrustDomains?: readonly string[];
}

/** security.istio.io `rules[].to[].operation`. */
export interface AuthorizationOperation {
  readonly hosts?: readonly string[];
  readonly notHosts?: readonly string[];
  readonly ports?: readonly string[];
  readonly notPorts?: readonly string[];
  readonly methods?: readonly string[];
  readonly notMethods?: readonly string[];
  readonly paths?: readonly string[];
  readonly notPaths?: readonly string[];
}

export interface AuthorizationCondition {
  readonly key?: string;
  readonly values?: readonly string[];
  readonly notValues?: readonly string[];
}

export interface AuthorizationRule {
  readonly from?: readonly { readonly source?: AuthorizationSource }[];
  readonly to?: readonly { readonly operation?: AuthorizationOperation }[];
  readonly when?: readonly AuthorizationCondition[];
}

export interface AuthorizationPolicySpec {
  readonly selector?: PolicySelector;
  readonly targetRef?: PolicyTargetReference;
  readonly targetRefs?: readonly PolicyTargetReference[];
  /** ALLOW (the default), DENY, AUDIT or CUSTOM. */
  readonly action?: string;
  readonly provider?: { readonly name?: string };
  readonly rules?: readonly AuthorizationRule[];
}

export type AuthorizationPolicy = KubeObject<
  AuthorizationPolicySpec,
  { readonly conditions?: readonly Condition[] }
>;

export interface MutualTls {
  /** UNSET (the default), DISABLE, PERMISSIVE or STRICT. */
  readonly mode?: string;
}

export interface PeerAuthenticationSpec {
  readonly selector?: PolicySelector;
  readonly mtls?: MutualTls;
  /** By target port, a decimal number. */
  readonly portLevelMtls?: Readonly<Record<string, MutualTls>>;
}

export type PeerAuthentication = KubeObject<PeerAuthenticationSpec>;

/** v1 ConfigMap: `data` stands beside metadata. */
export interface ConfigMap extends KubeObject {
  readonly data?: Readonly<Record<string, string>>;
}

/** Every kind that the control plane derives the mesh from. */
export interface KubeObjects {
  Namespace: Namespace;
  Node: Node;
  Pod: Pod;
  Service: Service;
  EndpointSlice: EndpointSlice;
  ServiceEntry: ServiceEntry;
  WorkloadEntry: WorkloadEntry;
  Gateway: Gateway;
  GatewayClass: GatewayClass;
  HTTPRoute: Route;
  GRPCRoute: Route;
  TLSRoute: Route;
  TCPRoute: Route;
  ReferenceGrant: ReferenceGrant;
  AuthorizationPolicy: AuthorizationPolicy;
  PeerAuthentication: PeerAuthentication;
  ConfigMap: ConfigMap;
}

export type KindName = keyof KubeObjects;
export type ObjectOf<K extends KindName> = KubeObjects[K];
