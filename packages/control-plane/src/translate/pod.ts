// A pod as a workload.
import { ipToBytes } from '@ambient/mesh';
import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { Pod } from '../kube/objects.ts';
import type { FieldProblem } from '../validation/problem.ts';
import { identityProblem } from './identity-check.ts';
import { nodeLocality } from './locality.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { podUid } from './names.ts';
import { canonicalService, workloadName } from './owner-names.ts';
import { policiesOf } from './policies/of-workload.ts';
import { podPorts } from './ports.ts';
import { addServicesOfSlices, selectingServices } from './selecting-services.ts';
import { tunnelOf } from './tunnel.ts';
import { inboundBinding } from './waypoint-gateway.ts';
import { instanceOf, workloadWaypoint } from './waypoint.ts';
import { boundAddress, trustDomainOf } from './workload-fields.ts';

const { NetworkMode, WorkloadStatus, WorkloadType } = istio.workload;

export interface PodTranslation {
  /** Absent for a pod without an address, for one that has ended, and for one with problems. */
  readonly workload?: istio.workload.IWorkload;
  readonly problems: readonly FieldProblem[];
}

const absent: PodTranslation = { problems: [] };

export function translatePod(pod: Pod, lookup: ClusterLookup, mesh: MeshSettings): PodTranslation {
  const { metadata, spec, status } = pod;
  const { name, namespace = '', labels } = metadata;
  if (status?.phase === 'Succeeded' || status?.phase === 'Failed') return absent;
  const ips = addressesOf(pod);
  if (ips.length === 0) return absent;
  const addresses: Uint8Array[] = [];
  for (const [i, ip] of ips.entries()) {
    const bytes = ipToBytes(ip);
    if (bytes === undefined) {
      const message = `${JSON.stringify(ip)} is no IP address`;
      return { problems: [{ path: `status.podIPs[${i}].ip`, message, severity: 'error' }] };
    }
    addresses.push(bytes);
  }
  const serviceAccount = spec?.serviceAccountName || 'default';
  const problem = identityProblem('spec.serviceAccountName', namespace, serviceAccount);
  if (problem !== undefined) return { problems: [problem] };

  const workload: istio.workload.IWorkload = {
    uid: podUid(mesh.clusterId, namespace, name),
    name,
    namespace,
    addresses,
    network: mesh.network,
    clusterId: mesh.clusterId,
    trustDomain: trustDomainOf(mesh),
    serviceAccount,
    node: spec?.nodeName ?? '',
    workloadType: WorkloadType.POD,
    workloadName: workloadName(metadata),
    services: servicesOf(pod, lookup, mesh),
    authorizationPolicies: policiesOf({ namespace, labels }, lookup, mesh),
    status: isHealthy(pod) ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY,
    networkMode: spec?.hostNetwork === true ? NetworkMode.HOST_NETWORK : NetworkMode.STANDARD,
    ...tunnelOf(metadata),
  };
  Object.assign(workload, canonicalService(labels, workload.workloadName ?? name));
  const locality = nodeLocality(spec?.nodeName, lookup);
  if (locality !== undefined) workload.locality = locality;

  const gateway = instanceOf(metadata, lookup);
  if (gateway === undefined) {
    const waypoint = boundAddress(workloadWaypoint(metadata, lookup, mesh));
    if (waypoint !== undefined) workload.waypoint = waypoint;
  } else {
    const binding = inboundBinding(gateway, lookup);
    if (binding !== undefined) workload.applicationTunnel = binding;
  }
  return { workload, problems: [] };
}

/** podIPs, or the one podIP that older writers give. */
function addressesOf({ status }: Pod): string[] {
  const ips = (status?.podIPs ?? []).flatMap(({ ip }) => (ip ? [ip] : []));
  return ips.length === 0 && status?.podIP ? [status.podIP] : ips;
}

/** Ready, and not on its way out: Kubernetes takes a terminating pod from its services though it is still Ready. */
function isHealthy({ metadata, status }: Pod): boolean {
  if (metadata.deletionTimestamp !== undefined) return false;
  return status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') ?? false;
}

function servicesOf(pod: Pod, lookup: ClusterLookup, mesh: MeshSettings) {
  const found = selectingServices(pod.metadata.namespace ?? '', pod.metadata.labels, lookup, mesh);
  addServicesOfSlices(found, pod, lookup, mesh);
  const services: Record<string, istio.workload.IPortList> = {};
  for (const [key, service] of found) services[key] = { ports: podPorts(service, pod) };
  return services;
}
