// A pod as a workload.
import { ipToBytes } from '@ambient/mesh';
import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { Pod } from '@ambient/kube';
import type { FieldProblem } from '../validation/problem.ts';
import { identityProblem } from './identity-check.ts';
import { nodeLocality } from './locality.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { podUid } from './names.ts';
import { canonicalService, workloadName } from './owner-names.ts';
import { reachedThrough } from './network-gateway.ts';
import { policiesOf } from './policies/of-workload.ts';
import { podPorts } from './ports.ts';
import { addServicesOfSlices, portsByService, selectingServices } from './selecting-services.ts';
import { tunnelOf } from './tunnel.ts';
import { waypointOfWorkload } from './waypoint-of-workload.ts';
import { waypointsInFront } from './waypoints-in-front.ts';
import { trustDomainOf } from './workload-fields.ts';

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

  const services = selectingServices(namespace, labels, lookup, mesh);
  addServicesOfSlices(services, pod, lookup, mesh);
  const waypoint = waypointOfWorkload(metadata, lookup, mesh);
  const waypoints = waypointsInFront(waypoint.binding, services, lookup, mesh);
  const controller = workloadName(metadata);
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
    workloadName: controller,
    services: portsByService(services, (service) => podPorts(service, pod)),
    authorizationPolicies: policiesOf({ namespace, labels, waypoints }, lookup, mesh),
    status: isHealthy(pod) ? WorkloadStatus.HEALTHY : WorkloadStatus.UNHEALTHY,
    networkMode: spec?.hostNetwork === true ? NetworkMode.HOST_NETWORK : NetworkMode.STANDARD,
    ...canonicalService(labels, controller),
    ...tunnelOf(metadata),
    ...waypoint.fields,
    ...reachedThrough(mesh.network, lookup, mesh),
  };
  const locality = nodeLocality(spec?.nodeName, lookup);
  if (locality !== undefined) workload.locality = locality;
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
