import { serviceKey } from '@ambient/mesh';
import type {
  CidrMatch,
  GatewayAddress,
  NetworkAddress,
  Policy,
  PolicyMatch,
  PortMapping,
  RoutingScope,
  Service,
  StringMatch,
  Workload,
} from '@ambient/mesh';

/*
 * The mesh in the JSON of the admin endpoint `/config_dump`, key for key as Istio's ztunnel writes it: `istioctl
 * ztunnel-config` reads these. Keys whose value is the type's default are left out where ztunnel leaves them out.
 */

export type Json = string | number | boolean | null | readonly Json[] | { readonly [key: string]: Json };

const protocols = { NONE: 'TCP', HBONE: 'HBONE' } as const;
const networkModes = { STANDARD: 'Standard', HOST_NETWORK: 'HostNetwork' } as const;
const statuses = { HEALTHY: 'Healthy', UNHEALTHY: 'Unhealthy' } as const;
const modes = {
  UNSPECIFIED_MODE: 'Standard',
  STRICT: 'Strict',
  FAILOVER: 'Failover',
  PASSTHROUGH: 'Passthrough',
} as const;
const healthPolicies = { ONLY_HEALTHY: 'OnlyHealthy', ALLOW_ALL: 'AllowAll' } as const;
const families = { AUTOMATIC: '', IPV4_ONLY: 'IPv4', IPV6_ONLY: 'IPv6', DUAL: 'Dual' } as const;
const scopes = { GLOBAL: 'Global', NAMESPACE: 'Namespace', WORKLOAD_SELECTOR: 'WorkloadSelector' } as const;
const actions = { ALLOW: 'Allow', DENY: 'Deny' } as const;
const visibilities = { PUBLIC: 'Public', NAMESPACE: 'Namespace' } as const;
const routingScopes: Readonly<Record<RoutingScope, string>> = {
  REGION: 'Region',
  ZONE: 'Zone',
  SUBZONE: 'Subzone',
  NODE: 'Node',
  CLUSTER: 'Cluster',
  NETWORK: 'Network',
};

/** What the dump of a service says of a workload. */
export type DumpedEndpoint = Pick<Workload, 'uid' | 'status' | 'services'>;

/** One entry of `workloads`. */
export function dumpWorkload(workload: Workload): Json {
  return {
    workloadIps: workload.addresses,
    ...gatewayUnder('waypoint', workload.waypoint),
    ...gatewayUnder('networkGateway', workload.networkGateway),
    protocol: protocols[workload.tunnelProtocol],
    networkMode: networkModes[workload.networkMode],
    ...nonEmpty('uid', workload.uid),
    name: workload.name,
    namespace: workload.namespace,
    ...nonEmpty('trustDomain', workload.trustDomain),
    ...nonEmpty('serviceAccount', workload.serviceAccount),
    ...nonEmpty('network', workload.network),
    ...nonEmpty('workloadName', workload.workloadName),
    workloadType: workload.workloadType.toLowerCase(),
    ...nonEmpty('canonicalName', workload.canonicalName),
    ...nonEmpty('canonicalRevision', workload.canonicalRevision),
    ...nonEmpty('hostname', workload.hostname),
    ...nonEmpty('node', workload.node),
    ...(workload.nativeTunnel ? { nativeTunnel: true } : {}),
    ...(workload.applicationTunnel
      ? {
          applicationTunnel: {
            protocol: workload.applicationTunnel.protocol,
            port: workload.applicationTunnel.port === 0 ? null : workload.applicationTunnel.port,
          },
        }
      : {}),
    ...nonEmptyList('authorizationPolicies', workload.authorizationPolicies),
    status: statuses[workload.status],
    clusterId: workload.clusterId,
    ...(workload.locality.region || workload.locality.zone || workload.locality.subzone
      ? { locality: { ...workload.locality } }
      : {}),
    ...nonEmptyList('services', Object.keys(workload.services)),
    capacity: workload.capacity,
  };
}

/**
 * One entry of `services`.
 *
 * @param endpoints the workloads that are endpoints of it; those that do not name the service are passed over
 */
export function dumpService(service: Service, endpoints: Iterable<DumpedEndpoint>): Json {
  const key = serviceKey(service.namespace, service.hostname);
  const listed: Record<string, Json> = {};
  for (const workload of endpoints) {
    const endpoint = dumpEndpoint(key, workload);
    if (endpoint !== undefined) listed[workload.uid] = endpoint;
  }
  const balancing = service.loadBalancing;
  return {
    name: service.name,
    namespace: service.namespace,
    hostname: service.hostname,
    vips: service.addresses.map(dumpAddress),
    ...nonEmptyList(
      'cidrVips',
      service.cidrAddresses.map((cidr) => `${dumpAddress(cidr)}/${cidr.length}`),
    ),
    ports: dumpPorts(service.ports),
    endpoints: listed,
    subjectAltNames: service.subjectAltNames,
    ...gatewayUnder('waypoint', service.waypoint),
    ...nonEmptyList(
      'weightedWaypoints',
      service.weightedWaypoints.map(({ destination, weight }) => ({
        destination: dumpGateway(destination),
        weight,
      })),
    ),
    ...(balancing
      ? {
          loadBalancer: {
            routingPreferences: balancing.routingPreference.map((scope) => routingScopes[scope]),
            mode: modes[balancing.mode],
            healthPolicy: healthPolicies[balancing.healthPolicy],
          },
        }
      : {}),
    ...nonEmpty('ipFamilies', families[service.ipFamilies]),
    canonical: service.canonical,
    ...(service.visibility === 'PUBLIC' ? {} : { visibility: visibilities[service.visibility] }),
  };
}

/** One entry of `endpoints` of a service; undefined if the workload is none. @param service key of the service */
export function dumpEndpoint(service: string, { uid, status, services }: DumpedEndpoint): Json | undefined {
  const ports = services[service];
  return ports === undefined
    ? undefined
    : { workloadUid: uid, port: dumpPorts(ports), status: statuses[status] };
}

/** One entry of `policies`; rules are a list of lists of lists of matches. */
export function dumpPolicy(policy: Policy): Json {
  return {
    name: policy.name,
    namespace: policy.namespace,
    scope: scopes[policy.scope],
    action: actions[policy.action],
    rules: policy.rules.map((rule) => rule.clauses.map((clause) => clause.matches.map(dumpMatch))),
    dryRun: policy.dryRun,
  };
}

function dumpMatch(match: PolicyMatch): Json {
  return {
    ...nonEmptyList('namespaces', match.namespaces.map(dumpString)),
    ...nonEmptyList('notNamespaces', match.notNamespaces.map(dumpString)),
    ...nonEmptyList(
      'serviceAccounts',
      match.serviceAccounts.map((account) => ({ ...account })),
    ),
    ...nonEmptyList(
      'notServiceAccounts',
      match.notServiceAccounts.map((account) => ({ ...account })),
    ),
    ...nonEmptyList('principals', match.principals.map(dumpString)),
    ...nonEmptyList('notPrincipals', match.notPrincipals.map(dumpString)),
    ...nonEmptyList('sourceIps', match.sourceIps.map(dumpRange)),
    ...nonEmptyList('notSourceIps', match.notSourceIps.map(dumpRange)),
    ...nonEmptyList('destinationIps', match.destinationIps.map(dumpRange)),
    ...nonEmptyList('notDestinationIps', match.notDestinationIps.map(dumpRange)),
    ...nonEmptyList('destinationPorts', match.destinationPorts),
    ...nonEmptyList('notDestinationPorts', match.notDestinationPorts),
  };
}

function dumpString(match: StringMatch): Json {
  switch (match.kind) {
    case 'exact':
      return { Exact: match.value };
    case 'prefix':
      return { Prefix: match.value };
    case 'suffix':
      return { Suffix: match.value };
    case 'presence':
      return { Presence: [] };
  }
}

function dumpRange(range: CidrMatch): string {
  return `${range.ip}/${range.length}`;
}

function dumpAddress(address: NetworkAddress): string {
  return `${address.network}/${address.ip}`;
}

function dumpPorts(ports: readonly PortMapping[]): Json {
  return Object.fromEntries(ports.map((port) => [String(port.servicePort), port.targetPort]));
}

function dumpGateway(gateway: GatewayAddress): Json {
  const { destination, hboneMtlsPort } = gateway;
  return {
    destination:
      destination.kind === 'address'
        ? dumpAddress(destination.address)
        : `${destination.namespace}/${destination.hostname}`,
    hboneMtlsPort,
  };
}

function gatewayUnder(key: string, gateway: GatewayAddress | undefined): Readonly<Record<string, Json>> {
  return gateway === undefined ? {} : { [key]: dumpGateway(gateway) };
}

function nonEmpty(key: string, text: string): Readonly<Record<string, Json>> {
  return text === '' ? {} : { [key]: text };
}

function nonEmptyList(key: string, list: readonly Json[]): Readonly<Record<string, Json>> {
  return list.length === 0 ? {} : { [key]: list };
}
