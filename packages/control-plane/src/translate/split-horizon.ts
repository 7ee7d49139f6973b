// Endpoints on other networks, as proxies of this one see them: one for each network, behind its gateway (facts l7 §8).
import { formatSpiffe } from '@ambient/identity';
import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { ObjectMeta } from '@ambient/kube';
import { hasLabels, matchesLabelSelector } from '@ambient/kube/label-selector';
import type { MeshSettings } from './mesh-settings.ts';
import { serviceKey, splitHorizonUid } from './names.ts';
import { gatewayTo, networkGatewayAddress } from './network-gateway.ts';
import type { ReadEndpoint } from './read-service-entry.ts';
import { readWorkloadEntry } from './read-service-entry.ts';
import { trustDomainOf } from './workload-fields.ts';

/** An endpoint on another network. */
export interface RemoteEndpoint {
  readonly network: string;
  /** At least 1. */
  readonly capacity: number;
  /** SPIFFE URI. */
  readonly identity: string;
}

/** Whether an endpoint is on a network that is not ours, and so stands behind a gateway. Never, where there is one network. */
export function isRemote({ network }: Pick<ReadEndpoint, 'network'>, mesh: MeshSettings): boolean {
  return mesh.multiNetwork && network !== '' && network !== mesh.network;
}

/**
 * Whether a service is the same in all networks: one of MeshConfig's scopes that match it says so. One that says it is not has
 * no say.
 */
export function isGlobal(
  { namespace = '', labels }: ObjectMeta,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): boolean {
  if (!mesh.multiNetwork) return false;
  return mesh.serviceScopes.some(
    ({ services, namespaces, global }) =>
      global &&
      matchesLabelSelector(services, labels) &&
      (namespaces === undefined ||
        matchesLabelSelector(namespaces, lookup.get('Namespace', '', namespace)?.metadata.labels)),
  );
}

/** The WorkloadEntries on other networks that a service selects. */
export function remoteEntries(
  namespace: string,
  selector: Readonly<Record<string, string>> | undefined,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): RemoteEndpoint[] {
  if (Object.keys(selector ?? {}).length === 0) return [];
  return lookup.list('WorkloadEntry', 'of-a-network-by-namespace', namespace).flatMap((entry) => {
    const { endpoint } = readWorkloadEntry(entry);
    if (endpoint === undefined || !isRemote(endpoint, mesh)) return [];
    const labels = { ...endpoint.labels, ...entry.metadata.labels };
    return hasLabels(labels, selector ?? {}) ? [remoteEndpoint(namespace, endpoint, mesh)] : [];
  });
}

export function remoteEndpoint(
  namespace: string,
  { network, weight, serviceAccount }: ReadEndpoint,
  { trustDomain }: MeshSettings,
): RemoteEndpoint {
  const identity = formatSpiffe({
    trustDomain,
    namespace,
    serviceAccount: serviceAccount === '' ? 'default' : serviceAccount,
  });
  return { network, capacity: Math.max(weight, 1), identity };
}

/**
 * What stands for the endpoints of a service on other networks: a workload without an address for each network that has a
 * gateway, with the capacity of all of them.
 */
export function splitHorizonWorkloads(
  service: istio.workload.IService,
  remotes: readonly RemoteEndpoint[],
  lookup: ClusterLookup,
  mesh: MeshSettings,
): istio.workload.IWorkload[] {
  const { namespace, hostname, ports: servicePorts } = service;
  const key = serviceKey(namespace ?? '', hostname ?? '');
  const ports = (servicePorts ?? []).map((port): istio.workload.IPort =>
    // The far side knows what the name of a target stands for; here the service's own port is what is asked for.
    port.targetPort === 0 ? { ...port, targetPort: port.servicePort ?? 0 } : port,
  );
  return [...Map.groupBy(remotes, ({ network }) => network)]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .flatMap(([network, endpoints]): istio.workload.IWorkload[] => {
      const gateway = gatewayTo(network, lookup, mesh);
      if (gateway === undefined) return [];
      const uid = splitHorizonUid(gateway, key);
      return [
        {
          uid,
          name: uid,
          namespace: namespace ?? '',
          network,
          clusterId: mesh.clusterId,
          trustDomain: trustDomainOf(mesh),
          workloadType: istio.workload.WorkloadType.POD,
          tunnelProtocol: istio.workload.TunnelProtocol.HBONE,
          networkGateway: networkGatewayAddress(gateway),
          capacity: { value: endpoints.reduce((sum, { capacity }) => sum + capacity, 0) },
          services: { [key]: { ports } },
        },
      ];
    });
}

/** Who may answer for a service: who was said to, and those on other networks, whom proxies do not see one by one. */
export function namesOfRemotes(
  remotes: readonly RemoteEndpoint[],
  others: readonly string[] = [],
): Pick<istio.workload.IService, 'subjectAltNames'> {
  if (remotes.length === 0) return {};
  return { subjectAltNames: [...new Set([...others, ...remotes.map(({ identity }) => identity)])].sort() };
}
