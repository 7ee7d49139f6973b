import type {
  ApplicationTunnel,
  LoadBalancing,
  Locality,
  PortMapping,
  RoutingScope,
  Service,
  WeightedWaypoint,
  Workload,
} from '@ambient/mesh';

import { workloadTypes } from '../convert/fields.ts';
import {
  gateway,
  ipText,
  networkAddressText,
  networkCidrText,
  portMap,
  serviceKeyText,
} from './local-fields.ts';
import {
  flag,
  listOf,
  mapOf,
  maybe,
  optional,
  portNumber,
  record,
  required,
  text,
  whole,
  word,
} from './schema.ts';
import type { Check } from './schema.ts';

const capacity = whole(0, 2 ** 32 - 1);
const health = word({ Healthy: 'HEALTHY', Unhealthy: 'UNHEALTHY' } as const);

const locality = record<Locality>({
  region: optional(text, ''),
  zone: optional(text, ''),
  subzone: optional(text, ''),
});

const applicationTunnel = record<ApplicationTunnel>({
  protocol: required(word({ NONE: 'NONE', PROXY: 'PROXY' } as const)),
  port: optional((value, path) => (value === null ? 0 : portNumber(value, path)), 0),
});

/** Free text in Istio's file; what is none of the known types is a deployment. */
const workloadType: Check<Workload['workloadType']> = (value, path) => {
  const upper = text(value, path).toUpperCase();
  return workloadTypes.find((type) => type === upper) ?? 'DEPLOYMENT';
};

const workloadEntry = record({
  workloadIps: required(listOf(ipText)),
  waypoint: maybe(gateway),
  networkGateway: maybe(gateway),
  protocol: optional(word({ TCP: 'NONE', HBONE: 'HBONE' } as const), 'NONE'),
  networkMode: optional(word({ Standard: 'STANDARD', HostNetwork: 'HOST_NETWORK' } as const), 'STANDARD'),
  uid: optional(text, ''),
  name: optional(text, ''),
  namespace: required(text),
  trustDomain: optional(text, ''),
  serviceAccount: optional(text, ''),
  network: optional(text, ''),
  workloadName: optional(text, ''),
  workloadType: optional(workloadType, 'DEPLOYMENT'),
  canonicalName: optional(text, ''),
  canonicalRevision: optional(text, ''),
  hostname: optional(text, ''),
  node: optional(text, ''),
  nativeTunnel: optional(flag, false),
  applicationTunnel: maybe(applicationTunnel),
  authorizationPolicies: optional(listOf(text), []),
  status: optional(health, 'HEALTHY'),
  clusterId: optional(text, ''),
  locality: optional(locality, { region: '', zone: '', subzone: '' }),
  capacity: optional(capacity, 1),
  services: optional(mapOf(serviceKeyText, portMap), []),
});

/**
 * One entry of `workloads`. An empty trust domain, service account or cluster becomes `cluster.local`, `default` or
 * `Kubernetes`, as on the wire; an empty uid becomes that of a pod of this name, or of its first address or host name.
 */
export const localWorkload: Check<Workload> = (value, path) => {
  const { workloadIps, protocol, services, ...entry } = workloadEntry(value, path);
  const clusterId = entry.clusterId || 'Kubernetes';
  return {
    ...entry,
    uid:
      entry.uid || `${clusterId}//Pod/${entry.namespace}/${entry.name || (workloadIps[0] ?? entry.hostname)}`,
    addresses: workloadIps,
    tunnelProtocol: protocol,
    trustDomain: entry.trustDomain || 'cluster.local',
    serviceAccount: entry.serviceAccount || 'default',
    clusterId,
    services: Object.fromEntries(services),
  };
};

const scopes: Readonly<Record<string, RoutingScope>> = {
  Region: 'REGION',
  Zone: 'ZONE',
  Subzone: 'SUBZONE',
  Node: 'NODE',
  Cluster: 'CLUSTER',
  Network: 'NETWORK',
};

const loadBalancer: Check<LoadBalancing> = (value, path) => {
  const { routingPreferences, mode, healthPolicy } = record({
    routingPreferences: required(listOf(word(scopes))),
    mode: required(
      word({
        Standard: 'UNSPECIFIED_MODE',
        Strict: 'STRICT',
        Failover: 'FAILOVER',
        Passthrough: 'PASSTHROUGH',
      } as const),
    ),
    healthPolicy: required(word({ OnlyHealthy: 'ONLY_HEALTHY', AllowAll: 'ALLOW_ALL' } as const)),
  })(value, path);
  return { routingPreference: routingPreferences, mode, healthPolicy };
};

const weightedWaypoint = record<WeightedWaypoint>({
  destination: required(gateway),
  weight: required(capacity),
});

/** An endpoint that the service itself lists, besides those whose workloads name the service. */
export interface LocalEndpoint {
  readonly workloadUid: string;
  readonly port: readonly PortMapping[];
}

const endpoint = record({
  workloadUid: required(text),
  port: required(portMap),
  status: optional(health, 'HEALTHY'),
});

const serviceEntry = record({
  name: required(text),
  namespace: required(text),
  hostname: required(text),
  vips: required(listOf(networkAddressText)),
  cidrVips: optional(listOf(networkCidrText), []),
  ports: required(portMap),
  endpoints: optional(mapOf(text, endpoint), []),
  subjectAltNames: optional(listOf(text), []),
  waypoint: maybe(gateway),
  weightedWaypoints: optional(listOf(weightedWaypoint), []),
  loadBalancer: maybe(loadBalancer),
  ipFamilies: maybe(word({ IPv4: 'IPV4_ONLY', IPv6: 'IPV6_ONLY', Dual: 'DUAL' } as const)),
  canonical: optional(flag, false),
  visibility: optional(word({ Public: 'PUBLIC', Namespace: 'NAMESPACE' } as const), 'PUBLIC'),
});

/** One entry of `services`, and the endpoints that it lists itself. */
export const localService: Check<{ service: Service; endpoints: readonly LocalEndpoint[] }> = (
  value,
  path,
) => {
  const { vips, cidrVips, endpoints, loadBalancer: balancing, ...entry } = serviceEntry(value, path);
  return {
    service: {
      ...entry,
      addresses: vips,
      cidrAddresses: cidrVips,
      loadBalancing: balancing,
      ipFamilies: entry.ipFamilies ?? 'AUTOMATIC',
    },
    endpoints: endpoints.map(([, listed]) => ({ workloadUid: listed.workloadUid, port: listed.port })),
  };
};
