// A Kubernetes Service.
import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { Service } from '@ambient/kube';
import type { FieldProblem } from '../validation/problem.ts';
import { serviceLoadBalancing } from './load-balancing.ts';
import { isInMesh, numericTarget } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { serviceHostname } from './names.ts';
import { networkAddress } from './network-address.ts';
import { servicePortProtocol } from './ports.ts';
import { isGlobal, namesOfRemotes, remoteEntries, splitHorizonWorkloads } from './split-horizon.ts';
import type { WaypointBinding } from './waypoint.ts';
import { serviceWaypoint } from './waypoint.ts';

const { IPFamilies } = istio.workload;

export interface ServiceTranslation {
  /** Absent for ExternalName, and for a Service with errors. */
  readonly service?: istio.workload.IService;
  /** What stands for its endpoints on other networks. */
  readonly workloads: readonly istio.workload.IWorkload[];
  readonly waypoint: WaypointBinding;
  readonly problems: readonly FieldProblem[];
}

export function translateService(
  object: Service,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): ServiceTranslation {
  if (!isInMesh(object)) return { workloads: [], waypoint: { state: 'none' }, problems: [] };
  const { name, namespace = '' } = object.metadata;
  const waypoint = serviceWaypoint(object.metadata, lookup, mesh);
  const addresses: istio.workload.INetworkAddress[] = [];
  for (const [i, ip] of clusterIpsOf(object).entries()) {
    const address = networkAddress(mesh.network, ip);
    if (address === undefined) {
      const message = `${JSON.stringify(ip)} is no IP address`;
      return {
        workloads: [],
        waypoint,
        problems: [{ path: `spec.clusterIPs[${i}]`, message, severity: 'error' }],
      };
    }
    addresses.push(address);
  }
  const service: istio.workload.IService = {
    name,
    namespace,
    hostname: serviceHostname(name, namespace, mesh.domain),
    addresses,
    ports: (object.spec?.ports ?? []).map((port) => ({
      servicePort: port.port,
      targetPort: numericTarget(port),
      appProtocol: servicePortProtocol(port),
    })),
    ipFamilies: ipFamiliesOf(object.spec?.ipFamilies ?? []),
    canonical: true,
  };
  const loadBalancing = serviceLoadBalancing(object, lookup);
  if (loadBalancing !== undefined) service.loadBalancing = loadBalancing;
  if (waypoint.state === 'bound') {
    service.waypoint = waypoint.address;
    service.ingressUseWaypoint = waypoint.ingress;
    if (waypoint.weighted !== undefined) service.weightedWaypoints = [...waypoint.weighted];
  }
  if (!isGlobal(object.metadata, lookup, mesh)) return { service, workloads: [], waypoint, problems: [] };
  const remotes = remoteEntries(namespace, object.spec?.selector, lookup, mesh);
  Object.assign(service, namesOfRemotes(remotes));
  const workloads = splitHorizonWorkloads(service, remotes, lookup, mesh);
  return { service, workloads, waypoint, problems: [] };
}

/** None for a headless Service. */
function clusterIpsOf({ spec }: Service): string[] {
  const ips = spec?.clusterIPs?.length ? spec.clusterIPs : [spec?.clusterIP ?? ''];
  return ips.filter((ip) => ip !== '' && ip !== 'None');
}

function ipFamiliesOf(families: readonly string[]): istio.workload.IPFamilies {
  if (families.length > 1) return IPFamilies.DUAL;
  if (families.length === 0) return IPFamilies.AUTOMATIC;
  return families[0] === 'IPv6' ? IPFamilies.IPV6_ONLY : IPFamilies.IPV4_ONLY;
}
