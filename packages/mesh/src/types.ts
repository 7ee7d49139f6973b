/**
 * The mesh as plain data: what a control plane says about workloads, services and policies.
 *
 * Everything here survives a structured clone, so that the main thread can hand updates to data workers. IP addresses are
 * canonical text (dotted IPv4, RFC 5952 IPv6, never v4-mapped), ports are 0..65535. Semantics follow the ambient
 * discovery types `istio.workload.Address` and `istio.security.Authorization`.
 */

export type TunnelProtocol = 'NONE' | 'HBONE';
/** A pod of `HOST_NETWORK` has its node's address, which therefore does not lead to it; services do. */
export type NetworkMode = 'STANDARD' | 'HOST_NETWORK';
/** Whether Kubernetes counts the workload as ready. */
export type WorkloadStatus = 'HEALTHY' | 'UNHEALTHY';
/** What made the workload; for telemetry. */
export type WorkloadType = 'DEPLOYMENT' | 'CRONJOB' | 'POD' | 'JOB';
/** What a port speaks, as far as the Service says. */
export type AppProtocol = 'UNKNOWN' | 'HTTP11' | 'HTTP2' | 'GRPC' | 'TCP' | 'TLS';
/** Families of which a service has addresses. `AUTOMATIC`: that of the address which was dialled, if there is a choice. */
export type IpFamilies = 'AUTOMATIC' | 'IPV4_ONLY' | 'IPV6_ONLY' | 'DUAL';
/** Who finds a service: everybody, or clients of its own namespace. */
export type Visibility = 'PUBLIC' | 'NAMESPACE';

/** An IP address in a named network; the network of a single-network mesh is the empty string. */
export interface NetworkAddress {
  readonly network: string;
  readonly ip: string;
}

/** A range of addresses in a named network, of a service that has CIDR addresses. */
export interface NetworkCidr extends NetworkAddress {
  /** Prefix length in bits: 0..32 or 0..128. */
  readonly length: number;
}

/** A gateway by one address, or by the name of its service. */
export type GatewayDestination =
  | { readonly kind: 'address'; readonly address: NetworkAddress }
  | { readonly kind: 'hostname'; readonly namespace: string; readonly hostname: string };

/** Where a waypoint or an east-west gateway is reached. */
export interface GatewayAddress {
  readonly destination: GatewayDestination;
  /** Port for HBONE on a gateway given as a workload, or the service port of one given as a service. */
  readonly hboneMtlsPort: number;
}

/** One of several waypoints of a service. */
export interface WeightedWaypoint {
  readonly destination: GatewayAddress;
  /** Share of the service's connections, relative to its other waypoints. */
  readonly weight: number;
}

/** Where a port of a service leads at its endpoints. */
export interface PortMapping {
  readonly servicePort: number;
  /** 0 means a named port: only an endpoint's own mapping can tell the number. */
  readonly targetPort: number;
  readonly appProtocol: AppProtocol;
}

/** Where a workload runs, from the wide to the narrow; '' where nobody has said. */
export interface Locality {
  readonly region: string;
  readonly zone: string;
  readonly subzone: string;
}

/** What an application wants to be told first, so that it learns of the connection what it cannot see. */
export interface ApplicationTunnel {
  readonly protocol: 'NONE' | 'PROXY';
  /** 0 means the resolved port of the call. */
  readonly port: number;
}

/** One pod or other endpoint: `istio.workload.Workload`. */
export interface Workload {
  /** Unique over clusters; the key of the resource. */
  readonly uid: string;
  /** Pod name. */
  readonly name: string;
  readonly namespace: string;
  readonly addresses: readonly string[];
  /** DNS name of a workload without addresses of its own, else ''. */
  readonly hostname: string;
  readonly network: string;
  readonly tunnelProtocol: TunnelProtocol;
  /** Never empty: an absent value has become `cluster.local`. */
  readonly trustDomain: string;
  /** Never empty: an absent value has become `default`. */
  readonly serviceAccount: string;
  /** Takes what is for the workload itself; undefined: nobody does. */
  readonly waypoint: GatewayAddress | undefined;
  /** Leads to the workload from other networks. */
  readonly networkGateway: GatewayAddress | undefined;
  /** Name of its node. */
  readonly node: string;
  readonly canonicalName: string;
  readonly canonicalRevision: string;
  readonly workloadType: WorkloadType;
  /** Name of what made it, such as its Deployment; for telemetry. */
  readonly workloadName: string;
  /** It speaks HBONE by itself, without a node proxy. */
  readonly nativeTunnel: boolean;
  readonly applicationTunnel: ApplicationTunnel | undefined;
  /** Services that this workload is an endpoint of, keyed `namespace/hostname`, with its own port mapping. */
  readonly services: Readonly<Record<string, readonly PortMapping[]>>;
  /** Keys `namespace/name` of policies that select this workload. */
  readonly authorizationPolicies: readonly string[];
  readonly status: WorkloadStatus;
  /** Never empty: an absent value has become `Kubernetes`. */
  readonly clusterId: string;
  readonly locality: Locality;
  readonly networkMode: NetworkMode;
  /** Share of a service's connections relative to its other endpoints; absent has become 1. */
  readonly capacity: number;
}

/** What a client and an endpoint may have in common. */
export type RoutingScope = 'REGION' | 'ZONE' | 'SUBZONE' | 'NODE' | 'CLUSTER' | 'NETWORK';

/** Which endpoints of a service a client may have. */
export interface LoadBalancing {
  /**
   * `STRICT`: those that share every scope with the client; `FAILOVER`: those that share the most, in their order;
   * `PASSTHROUGH`: the address that was dialled.
   */
  readonly mode: 'UNSPECIFIED_MODE' | 'STRICT' | 'FAILOVER' | 'PASSTHROUGH';
  /** The first counts most. */
  readonly routingPreference: readonly RoutingScope[];
  /** Whether endpoints that are not ready count (`publishNotReadyAddresses`). */
  readonly healthPolicy: 'ONLY_HEALTHY' | 'ALLOW_ALL';
}

/** One service, of Kubernetes or of a ServiceEntry: `istio.workload.Service`. */
export interface Service {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
  /** Virtual IPs. */
  readonly addresses: readonly NetworkAddress[];
  readonly cidrAddresses: readonly NetworkCidr[];
  readonly ports: readonly PortMapping[];
  /** SPIFFE ids that an endpoint may present besides its own. */
  readonly subjectAltNames: readonly string[];
  /** Takes what is for the service; undefined: nobody does. */
  readonly waypoint: GatewayAddress | undefined;
  /** Go before `waypoint`, unless all have the weight 0. */
  readonly weightedWaypoints: readonly WeightedWaypoint[];
  readonly loadBalancing: LoadBalancing | undefined;
  readonly ipFamilies: IpFamilies;
  /** Goes before others of the same hostname or address, as the Service goes before a ServiceEntry. */
  readonly canonical: boolean;
  readonly visibility: Visibility;
}

/** A pattern for names. */
export interface StringMatch {
  readonly kind: 'exact' | 'prefix' | 'suffix' | 'presence';
  /** '' for presence. */
  readonly value: string;
}

/** A range of addresses. */
export interface CidrMatch {
  readonly ip: string;
  /** Prefix length in bits: 0..32 or 0..128. */
  readonly length: number;
}

/** A service account, by its whole name. */
export interface ServiceAccountMatch {
  readonly namespace: string;
  readonly serviceAccount: string;
}

/** All fields AND; within a field OR; a `not` field holds when none matches; all fields empty never matches. */
export interface PolicyMatch {
  readonly namespaces: readonly StringMatch[];
  readonly notNamespaces: readonly StringMatch[];
  readonly serviceAccounts: readonly ServiceAccountMatch[];
  readonly notServiceAccounts: readonly ServiceAccountMatch[];
  readonly principals: readonly StringMatch[];
  readonly notPrincipals: readonly StringMatch[];
  readonly sourceIps: readonly CidrMatch[];
  readonly notSourceIps: readonly CidrMatch[];
  readonly destinationIps: readonly CidrMatch[];
  readonly notDestinationIps: readonly CidrMatch[];
  readonly destinationPorts: readonly number[];
  readonly notDestinationPorts: readonly number[];
}

/** What a rule wants besides its other clauses. */
export interface PolicyClause {
  /** OR; an empty list matches nothing-specific, that is everything. */
  readonly matches: readonly PolicyMatch[];
}

/** One way to fall under a policy. */
export interface PolicyRule {
  /** AND; an empty list matches everything. */
  readonly clauses: readonly PolicyClause[];
}

/** One policy: `istio.security.Authorization`. */
export interface Policy {
  readonly name: string;
  readonly namespace: string;
  readonly scope: 'GLOBAL' | 'NAMESPACE' | 'WORKLOAD_SELECTOR';
  readonly action: 'ALLOW' | 'DENY';
  /** It is tested, and has no effect. */
  readonly dryRun: boolean;
  /** OR; an empty list matches nothing. */
  readonly rules: readonly PolicyRule[];
}

/** One change to the mesh. Keys: workload uid, service `namespace/hostname`, policy resource name `namespace/name`. */
export type MeshUpdate =
  | { readonly kind: 'workload'; readonly workload: Workload }
  | { readonly kind: 'service'; readonly service: Service }
  | { readonly kind: 'policy'; readonly key: string; readonly policy: Policy }
  | { readonly kind: 'remove-address'; readonly key: string }
  | { readonly kind: 'remove-policy'; readonly key: string };

/** Key of a service in the store and in `Workload.services`. */
export function serviceKey(namespace: string, hostname: string): string {
  return `${namespace}/${hostname}`;
}
