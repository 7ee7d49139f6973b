// A ServiceEntry: one service per host, and workloads for the endpoints that it names itself.
import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { ServiceEntry } from '@ambient/kube';
import type { FieldProblem } from '../validation/problem.ts';
import { allocatedAddressesOf } from './allocated-addresses.ts';
import { endpointWorkload } from './endpoint-workload.ts';
import { serviceEntryLoadBalancing } from './load-balancing.ts';
import { meshServiceEntry } from './mesh-service.ts';
import type { MeshSettings, Visibility } from './mesh-settings.ts';
import { serviceEntryEndpointUid, serviceKey } from './names.ts';
import { networkRange } from './network-address.ts';
import { policiesOf } from './policies/of-workload.ts';
import { serviceEntryPortProtocol } from './ports.ts';
import type { ReadEndpoint, ReadServiceEntry } from './read-service-entry.ts';
import { readServiceEntry } from './read-service-entry.ts';
import { isCanonical, ownedHosts, visibilityOf } from './service-ownership.ts';
import type { RemoteEndpoint } from './split-horizon.ts';
import {
  isGlobal,
  isRemote,
  namesOfRemotes,
  remoteEndpoint,
  remoteEntries,
  splitHorizonWorkloads,
} from './split-horizon.ts';
import type { WaypointBinding } from './waypoint.ts';
import { serviceWaypoint } from './waypoint.ts';
import type { WorkloadWaypoint } from './waypoint-of-workload.ts';
import { waypointOfWorkload } from './waypoint-of-workload.ts';
import { waypointsInFront } from './waypoints-in-front.ts';

export interface ServiceEntryTranslation {
  readonly services: readonly istio.workload.IService[];
  readonly workloads: readonly istio.workload.IWorkload[];
  readonly waypoint: WaypointBinding;
  /** The visibility that was applied; undefined when the mesh does not rule it. */
  readonly visibility: Visibility | undefined;
  /** The entry can work through a waypoint only, and has none. */
  readonly waypointMissing: boolean;
  readonly problems: readonly FieldProblem[];
}

export function translateServiceEntry(
  entry: ServiceEntry,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): ServiceEntryTranslation {
  const fields = readServiceEntry(entry);
  const visibility = visibilityOf(entry, lookup, mesh);
  const hosts = ownedHosts(entry, lookup, mesh);
  const waypoint = serviceWaypoint(entry.metadata, lookup, mesh, visibility === 'NAMESPACE');
  const reported = {
    waypoint,
    visibility: mesh.serviceEntryVisibility === undefined ? undefined : visibility,
    waypointMissing: fields.resolution === 'DYNAMIC_DNS' && hosts.length > 0 && waypoint.state !== 'bound',
  };
  const problems = [...fields.problems];
  if (hosts.length === 0) return { services: [], workloads: [], ...reported, problems };

  const remotes = isGlobal(entry.metadata, lookup, mesh) ? remotesOf(entry, fields, lookup, mesh) : [];
  const common: istio.workload.IService = {
    name: entry.metadata.name,
    namespace: entry.metadata.namespace ?? '',
    ports: fields.ports.map(({ number, target, protocol }) => ({
      servicePort: number,
      targetPort: target,
      appProtocol: serviceEntryPortProtocol(protocol),
    })),
    subjectAltNames: [...fields.subjectAltNames],
    ...namesOfRemotes(remotes, fields.subjectAltNames),
    visibility:
      visibility === 'NAMESPACE'
        ? istio.workload.Service.Visibility.NAMESPACE
        : istio.workload.Service.Visibility.PUBLIC,
  };
  const loadBalancing = serviceEntryLoadBalancing(entry, lookup);
  if (loadBalancing !== undefined) common.loadBalancing = loadBalancing;
  if (waypoint.state === 'bound') {
    common.waypoint = waypoint.address;
    common.ingressUseWaypoint = waypoint.ingress;
    if (waypoint.weighted !== undefined) common.weightedWaypoints = [...waypoint.weighted];
  }
  const services = hosts.map((hostname) => ({
    ...common,
    hostname,
    addresses: addressesOf(entry, fields, hostname, mesh),
    canonical: isCanonical(entry, hostname, lookup, mesh),
  }));
  const workloads = resolvesHost(fields)
    ? hosts.map((host) => hostWorkload(entry, host, lookup, mesh))
    : inlineWorkloads(entry, fields, hosts, lookup, mesh, problems);
  for (const service of services) workloads.push(...splitHorizonWorkloads(service, remotes, lookup, mesh));
  return { services, workloads, ...reported, problems };
}

function addressesOf(entry: ServiceEntry, fields: ReadServiceEntry, host: string, mesh: MeshSettings) {
  const addresses = fields.addresses.length > 0 ? fields.addresses : allocatedAddressesOf(entry, host);
  return addresses.flatMap((address) => networkRange(mesh.network, address) ?? []);
}

/** The endpoints on other networks: those that it names, or those that it selects. */
function remotesOf(
  entry: ServiceEntry,
  { endpoints, selector }: ReadServiceEntry,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): RemoteEndpoint[] {
  const { namespace = '' } = entry.metadata;
  const inline = endpoints.filter((endpoint) => endpoint !== undefined && isRemote(endpoint, mesh));
  return [
    ...inline.map((endpoint) => remoteEndpoint(namespace, endpoint!, mesh)),
    ...remoteEntries(namespace, selector, lookup, mesh),
  ];
}

/** The hosts themselves are the endpoints, to be resolved by DNS. */
function resolvesHost({ resolution, endpoints, selector }: ReadServiceEntry): boolean {
  const byDns = resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN' || resolution === 'DYNAMIC_DNS';
  return byDns && endpoints.length === 0 && selector === undefined;
}

const nowhere: ReadEndpoint = {
  address: '',
  ports: {},
  labels: {},
  network: '',
  locality: '',
  weight: 0,
  serviceAccount: '',
};

/** A host that is its own endpoint. It stands for something outside the mesh and goes through no workload waypoint. */
function hostWorkload(entry: ServiceEntry, host: string, lookup: ClusterLookup, mesh: MeshSettings) {
  const outside: WorkloadWaypoint = { binding: { state: 'none' }, fields: {} };
  return entryWorkload(entry, { ...nowhere, address: host }, [host], outside, lookup, mesh);
}

function inlineWorkloads(
  entry: ServiceEntry,
  { endpoints }: ReadServiceEntry,
  hosts: readonly string[],
  lookup: ClusterLookup,
  mesh: MeshSettings,
  problems: FieldProblem[],
): istio.workload.IWorkload[] {
  const workloads = new Map<string, istio.workload.IWorkload>();
  for (const [i, endpoint] of endpoints.entries()) {
    if (endpoint === undefined || isRemote(endpoint, mesh)) continue;
    if (workloads.has(endpoint.address)) {
      const message = `stands twice; the first one counts. Use weight to send one address more`;
      problems.push({ path: `spec.endpoints[${i}].address`, message, severity: 'warning' });
      continue;
    }
    // The entry's own labels name the waypoint of the service, not of what stands behind it.
    const { namespace = '' } = entry.metadata;
    const waypoint = waypointOfWorkload({ namespace, labels: endpoint.labels }, lookup, mesh);
    workloads.set(endpoint.address, entryWorkload(entry, endpoint, hosts, waypoint, lookup, mesh));
  }
  return [...workloads.values()];
}

function entryWorkload(
  entry: ServiceEntry,
  endpoint: ReadEndpoint,
  hosts: readonly string[],
  waypoint: WorkloadWaypoint,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): istio.workload.IWorkload {
  const { name, namespace = '', labels } = entry.metadata;
  const service = meshServiceEntry(entry);
  const services = new Map(hosts.map((host) => [serviceKey(namespace, host), service]));
  const uid = serviceEntryEndpointUid(mesh.clusterId, namespace, name, endpoint.address);
  const names = { owner: entry.metadata, workloadName: name };
  const workload = endpointWorkload(uid, names, endpoint, services, lookup, mesh);
  const waypoints = waypointsInFront(waypoint.binding, services, lookup, mesh);
  workload.authorizationPolicies = policiesOf({ namespace, labels, waypoints }, lookup, mesh);
  return Object.assign(workload, waypoint.fields);
}
