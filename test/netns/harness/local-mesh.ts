/** The mesh of a test as it is written into the file at LOCAL_XDS_PATH; names and values are those of Istio's file. */
export interface LocalWorkload {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly serviceAccount: string;
  readonly workloadIps: readonly string[];
  readonly protocol: 'TCP' | 'HBONE';
  readonly node: string;
  readonly network: string;
  readonly trustDomain?: string;
  /** By `namespace/hostname`: service port to the workload's own port. */
  readonly services: Readonly<Record<string, Readonly<Record<number, number>>>>;
  readonly authorizationPolicies?: readonly string[];
  readonly status?: 'Healthy' | 'Unhealthy';
  readonly applicationTunnel?: { readonly protocol: 'NONE' | 'PROXY'; readonly port?: number };
  readonly waypoint?: LocalGateway;
  readonly networkGateway?: LocalGateway;
  readonly networkMode?: 'Standard' | 'HostNetwork';
  readonly hostname?: string;
  readonly capacity?: number;
  readonly clusterId?: string;
  readonly locality?: { readonly region: string; readonly zone: string; readonly subzone: string };
  readonly workloadName?: string;
  readonly canonicalName?: string;
  readonly canonicalRevision?: string;
}

export interface LocalGateway {
  /** `network/ip` or `namespace/hostname`. */
  readonly destination: string;
  readonly hboneMtlsPort: number;
}

export interface LocalService {
  readonly name: string;
  readonly namespace: string;
  readonly hostname: string;
  /** Each `network/ip`; of the default network `/ip`. */
  readonly vips: readonly string[];
  readonly ports: Readonly<Record<number, number>>;
  readonly subjectAltNames?: readonly string[];
  readonly waypoint?: LocalGateway;
  readonly loadBalancer?: LocalLoadBalancer;
  readonly ipFamilies?: 'IPv4' | 'IPv6' | 'Dual';
}

export interface LocalLoadBalancer {
  readonly mode: 'Standard' | 'Strict' | 'Failover' | 'Passthrough';
  readonly routingPreferences: readonly ('Region' | 'Zone' | 'Subzone' | 'Node' | 'Cluster' | 'Network')[];
  readonly healthPolicy: 'OnlyHealthy' | 'AllowAll';
}

export type TextMatch =
  | { readonly exact: string }
  | { readonly prefix: string }
  | { readonly suffix: string }
  | { readonly presence: true };

export interface LocalMatch {
  readonly namespaces?: readonly TextMatch[];
  readonly notNamespaces?: readonly TextMatch[];
  readonly principals?: readonly TextMatch[];
  readonly notPrincipals?: readonly TextMatch[];
  readonly sourceIps?: readonly string[];
  readonly notSourceIps?: readonly string[];
  readonly destinationIps?: readonly string[];
  readonly notDestinationIps?: readonly string[];
  readonly destinationPorts?: readonly number[];
  readonly notDestinationPorts?: readonly number[];
}

export interface LocalPolicy {
  readonly name: string;
  readonly namespace: string;
  readonly scope: 'Global' | 'Namespace' | 'WorkloadSelector';
  readonly action: 'Allow' | 'Deny';
  readonly dryRun?: boolean;
  /** Rules (OR) of clauses (AND) of matches (OR). */
  readonly rules: readonly (readonly (readonly LocalMatch[])[])[];
}

export interface LocalMesh {
  readonly workloads: readonly LocalWorkload[];
  readonly services: readonly LocalService[];
  readonly policies: readonly LocalPolicy[];
}

/** Flow-style YAML: JSON but for the tags that string matches carry. */
export function renderLocalMesh(mesh: LocalMesh): string {
  const policies = mesh.policies.map((policy) => ({ dryRun: false, ...policy }));
  return `${yaml({ ...mesh, policies })}\n`;
}

const tags = { exact: '!Exact', prefix: '!Prefix', suffix: '!Suffix' } as const;

function yaml(value: unknown): string {
  if (Array.isArray(value)) return `[${value.map(yaml).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  const entries = Object.entries(value);
  const [only] = entries;
  if (only !== undefined && entries.length === 1) {
    const [key, content] = only as [string, unknown];
    if (key === 'presence') return '!Presence []';
    if (key in tags) return `${tags[key as keyof typeof tags]} ${JSON.stringify(content)}`;
  }
  return `{${entries
    .filter(([, content]) => content !== undefined)
    .map(([key, content]) => `${/^\d+$/.test(key) ? key : JSON.stringify(key)}: ${yaml(content)}`)
    .join(', ')}}`;
}
