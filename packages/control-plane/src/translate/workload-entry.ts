// A machine outside the cluster as a workload.
import type { istio } from '@ambient/wire';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { WorkloadEntry } from '@ambient/kube';
import type { FieldProblem } from '../validation/problem.ts';
import { endpointWorkload } from './endpoint-workload.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { workloadEntryUid } from './names.ts';
import { policiesOf } from './policies/of-workload.ts';
import { readWorkloadEntry } from './read-service-entry.ts';
import { selectingServices } from './selecting-services.ts';
import { isRemote } from './split-horizon.ts';
import type { WaypointBinding } from './waypoint.ts';
import { waypointOfWorkload } from './waypoint-of-workload.ts';
import { waypointsInFront } from './waypoints-in-front.ts';
import { workloadEntryName } from './owner-names.ts';

export interface WorkloadEntryTranslation {
  /** Absent for an entry with errors, and for one that services have behind the gateway of another network. */
  readonly workload?: istio.workload.IWorkload;
  readonly waypoint: WaypointBinding;
  readonly problems: readonly FieldProblem[];
}

export function translateWorkloadEntry(
  entry: WorkloadEntry,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): WorkloadEntryTranslation {
  const { endpoint, problems } = readWorkloadEntry(entry);
  if (endpoint === undefined) return { waypoint: { state: 'none' }, problems };
  const { name, namespace = '' } = entry.metadata;
  // Both places count, and the object's own labels win.
  const labels = { ...endpoint.labels, ...entry.metadata.labels };
  const owner = { ...entry.metadata, labels };
  const services = selectingServices(namespace, labels, lookup, mesh);
  const uid = workloadEntryUid(mesh.clusterId, namespace, name);
  const { binding: waypoint, fields } = waypointOfWorkload(owner, lookup, mesh);
  if (isRemote(endpoint, mesh)) return { waypoint, problems };
  const names = { owner, workloadName: workloadEntryName(owner) };
  const workload = endpointWorkload(uid, names, endpoint, services, lookup, mesh);
  const waypoints = waypointsInFront(waypoint, services, lookup, mesh);
  workload.authorizationPolicies = policiesOf({ namespace, labels, waypoints }, lookup, mesh);
  Object.assign(workload, fields);
  return { workload, waypoint, problems };
}
