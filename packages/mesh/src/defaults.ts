import type { Policy, PolicyMatch, Service, Workload } from './types.ts';

const noStrings: readonly string[] = Object.freeze([]);
const noLocality = Object.freeze({ region: '', zone: '', subzone: '' });

/** A workload with the given fields; every other field has the value that an absent one on the wire stands for. */
export function workloadWith(fields: Partial<Workload> & Pick<Workload, 'uid'>): Workload {
  return {
    name: '',
    namespace: '',
    addresses: noStrings,
    hostname: '',
    network: '',
    tunnelProtocol: 'NONE',
    trustDomain: 'cluster.local',
    serviceAccount: 'default',
    waypoint: undefined,
    networkGateway: undefined,
    node: '',
    canonicalName: '',
    canonicalRevision: '',
    workloadType: 'DEPLOYMENT',
    workloadName: '',
    nativeTunnel: false,
    applicationTunnel: undefined,
    services: {},
    authorizationPolicies: noStrings,
    status: 'HEALTHY',
    clusterId: 'Kubernetes',
    locality: noLocality,
    networkMode: 'STANDARD',
    capacity: 1,
    ...fields,
  };
}

/** A service with the given fields; every other field has the value that an absent one on the wire stands for. */
export function serviceWith(fields: Partial<Service> & Pick<Service, 'namespace' | 'hostname'>): Service {
  return {
    name: '',
    addresses: [],
    cidrAddresses: [],
    ports: [],
    subjectAltNames: noStrings,
    waypoint: undefined,
    weightedWaypoints: [],
    loadBalancing: undefined,
    ipFamilies: 'AUTOMATIC',
    canonical: false,
    visibility: 'PUBLIC',
    ...fields,
  };
}

/** A policy with the given fields; absent ones make an enforced ALLOW policy of its namespace without rules. */
export function policyWith(fields: Partial<Policy> & Pick<Policy, 'namespace' | 'name'>): Policy {
  return { scope: 'NAMESPACE', action: 'ALLOW', dryRun: false, rules: [], ...fields };
}

/** A match with the given fields and all others empty. */
export function matchWith(fields: Partial<PolicyMatch>): PolicyMatch {
  return {
    namespaces: [],
    notNamespaces: [],
    serviceAccounts: [],
    notServiceAccounts: [],
    principals: [],
    notPrincipals: [],
    sourceIps: [],
    notSourceIps: [],
    destinationIps: [],
    notDestinationIps: [],
    destinationPorts: [],
    notDestinationPorts: [],
    ...fields,
  };
}
