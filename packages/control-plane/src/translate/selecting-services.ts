// The services that a workload is an endpoint of, by selector and by EndpointSlice.
import type { istio } from '@ambient/wire';
import { SERVICE_NAME_LABEL } from '../cluster/indexes.ts';
import type { ClusterLookup } from '../cluster/lookup.ts';
import { labelKeys } from '../cluster/selector-keys.ts';
import type { Pod } from '@ambient/kube';
import { hasLabels } from '@ambient/kube/label-selector';
import type { MeshService } from './mesh-service.ts';
import { isInMesh, meshService, meshServiceEntry } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { serviceHostname, serviceKey } from './names.ts';
import { readServiceEntry } from './read-service-entry.ts';
import { ownedHosts } from './service-ownership.ts';

/** By name of the service, `namespace/hostname`. */
export type ServicesByKey = Map<string, MeshService>;

/** The `services` field of a workload. Sorted, so that equal content has equal bytes however it was found. */
export function portsByService(
  services: ServicesByKey,
  portsOf: (service: MeshService) => istio.workload.IPort[],
): Record<string, istio.workload.IPortList> {
  const result: Record<string, istio.workload.IPortList> = {};
  for (const key of [...services.keys()].sort()) {
    const service = services.get(key);
    if (service !== undefined) result[key] = { ports: portsOf(service) };
  }
  return result;
}

/** Services and ServiceEntries of a namespace whose selector, which is not empty, the labels satisfy. */
export function selectingServices(
  namespace: string,
  labels: Readonly<Record<string, string>> | undefined,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): ServicesByKey {
  const found: ServicesByKey = new Map();
  for (const key of labelKeys(namespace, labels)) {
    for (const service of lookup.list('Service', 'by-selector', key)) {
      if (!isInMesh(service) || !hasLabels(labels, service.spec?.selector ?? {})) continue;
      const hostname = serviceHostname(service.metadata.name, namespace, mesh.domain);
      found.set(serviceKey(namespace, hostname), meshService(service));
    }
    for (const entry of lookup.list('ServiceEntry', 'by-selector', key)) {
      if (!hasLabels(labels, readServiceEntry(entry).selector ?? {})) continue;
      for (const host of ownedHosts(entry, lookup, mesh)) {
        found.set(serviceKey(namespace, host), meshServiceEntry(entry));
      }
    }
  }
  return found;
}

/** Adds the Services, of any namespace, that have the pod in an EndpointSlice by kind, name and uid. */
export function addServicesOfSlices(
  found: ServicesByKey,
  pod: Pod,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): void {
  const { namespace = '', name, uid } = pod.metadata;
  if (uid === '') return;
  for (const slice of lookup.list('EndpointSlice', 'by-target', `Pod/${namespace}/${name}/${uid}`)) {
    const of = slice.metadata.labels?.[SERVICE_NAME_LABEL];
    // Of a slice of host names nothing counts.
    if (of === undefined || slice.addressType === 'FQDN') continue;
    const sliceNamespace = slice.metadata.namespace ?? '';
    const key = serviceKey(sliceNamespace, serviceHostname(of, sliceNamespace, mesh.domain));
    if (found.has(key)) continue;
    const service = lookup.get('Service', sliceNamespace, of);
    if (isInMesh(service)) found.set(key, meshService(service));
  }
}
