// What a WorkloadEntry and an inline endpoint of a ServiceEntry have in common as workloads.
import { ipToBytes } from '@ambient/mesh';
import { istio } from '@ambient/wire';
import type { ObjectMeta } from '@ambient/kube';
import type { ClusterLookup } from '../cluster/lookup.ts';
import { writtenLocality } from './locality.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { reachedThrough } from './network-gateway.ts';
import { canonicalService } from './owner-names.ts';
import { endpointPorts } from './ports.ts';
import type { ReadEndpoint } from './read-service-entry.ts';
import type { ServicesByKey } from './selecting-services.ts';
import { portsByService } from './selecting-services.ts';
import { tunnelOf } from './tunnel.ts';
import { trustDomainOf } from './workload-fields.ts';

/** By what an endpoint goes. */
export interface EndpointNames {
  /** Names and labels the workload: the WorkloadEntry, or the ServiceEntry of an inline endpoint. */
  readonly owner: ObjectMeta;
  readonly workloadName: string;
}

/** Always healthy: nothing reports the health of such machines here. */
export function endpointWorkload(
  uid: string,
  { owner, workloadName }: EndpointNames,
  endpoint: ReadEndpoint,
  services: ServicesByKey,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): istio.workload.IWorkload {
  // A network that an endpoint names is its own: others go by the mesh's.
  const network = endpoint.network === '' ? mesh.network : endpoint.network;
  const workload: istio.workload.IWorkload = {
    uid,
    name: owner.name,
    namespace: owner.namespace ?? '',
    network,
    clusterId: mesh.clusterId,
    trustDomain: trustDomainOf(mesh),
    serviceAccount: endpoint.serviceAccount,
    workloadType: istio.workload.WorkloadType.POD,
    workloadName,
    services: portsByService(services, (service) => endpointPorts(service, endpoint.ports)),
    ...canonicalService(owner.labels, workloadName),
    ...tunnelOf(owner),
    ...reachedThrough(network, lookup, mesh),
  };
  const address = ipToBytes(endpoint.address);
  if (address === undefined) workload.hostname = endpoint.address;
  else workload.addresses = [address];
  const locality = writtenLocality(endpoint.locality);
  if (locality !== undefined) workload.locality = locality;
  if (endpoint.weight > 0) workload.capacity = { value: endpoint.weight };
  return workload;
}
