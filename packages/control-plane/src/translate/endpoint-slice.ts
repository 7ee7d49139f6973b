// Endpoints that nobody but an EndpointSlice knows: addresses of a Service without pods behind them.
import { ipToBytes } from '@ambient/mesh';
import { istio } from '@ambient/wire';
import { SERVICE_NAME_LABEL } from '../cluster/indexes.ts';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { EndpointSlice } from '@ambient/kube';
import type { FieldProblem } from '../validation/problem.ts';
import { isInMesh, meshService } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { endpointSliceUid, serviceHostname, serviceKey } from './names.ts';
import { slicePorts } from './ports.ts';
import { trustDomainOf } from './workload-fields.ts';

const { NetworkMode, WorkloadStatus } = istio.workload;

export interface EndpointSliceTranslation {
  readonly workloads: readonly istio.workload.IWorkload[];
  readonly problems: readonly FieldProblem[];
}

const nothing: EndpointSliceTranslation = { workloads: [], problems: [] };

/**
 * Endpoints that stand for pods are left to the pods. Nothing is known of the others but their address: they have no
 * identity, no policy and no waypoint, and they do not own the address (as with host network).
 */
export function translateEndpointSlice(
  slice: EndpointSlice,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): EndpointSliceTranslation {
  const of = slice.metadata.labels?.[SERVICE_NAME_LABEL];
  if (of === undefined || slice.addressType === 'FQDN') return nothing;
  if (!(slice.endpoints ?? []).some(({ targetRef }) => targetRef?.kind !== 'Pod')) return nothing;
  const { name, namespace = '' } = slice.metadata;
  const service = lookup.get('Service', namespace, of);
  if (!isInMesh(service)) return nothing;

  const key = serviceKey(namespace, serviceHostname(of, namespace, mesh.domain));
  const services = { [key]: { ports: slicePorts(meshService(service), slice.ports) } };
  const workloads = new Map<string, istio.workload.IWorkload>();
  const problems: FieldProblem[] = [];
  for (const [i, endpoint] of (slice.endpoints ?? []).entries()) {
    if (endpoint.targetRef?.kind === 'Pod') continue;
    const [ip] = endpoint.addresses ?? [];
    // The first address names the workload.
    if (ip === undefined || workloads.has(ip)) continue;
    const addresses = readAddresses(endpoint.addresses ?? [], `endpoints[${i}].addresses`, problems);
    if (addresses === undefined) continue;
    workloads.set(ip, {
      uid: endpointSliceUid(mesh.clusterId, namespace, name, ip),
      name,
      namespace,
      addresses,
      network: mesh.network,
      clusterId: mesh.clusterId,
      trustDomain: trustDomainOf(mesh),
      networkMode: NetworkMode.HOST_NETWORK,
      services,
      status: (endpoint.conditions?.ready ?? true) ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY,
    });
  }
  return { workloads: [...workloads.values()], problems };
}

/** Undefined where one of them is none: an endpoint with fewer addresses than written is another endpoint. */
function readAddresses(
  texts: readonly string[],
  path: string,
  problems: FieldProblem[],
): Uint8Array[] | undefined {
  const addresses: Uint8Array[] = [];
  for (const [i, text] of texts.entries()) {
    const address = ipToBytes(text);
    if (address === undefined) {
      const message = `${JSON.stringify(text)} is no IP address`;
      problems.push({ path: `${path}[${i}]`, message, severity: 'error' });
      return undefined;
    }
    addresses.push(address);
  }
  return addresses;
}
