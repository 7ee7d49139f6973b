// How a workload stands to waypoints: it carries one out, or is behind one, or neither.
import type { istio } from '@ambient/wire';
import type { ObjectMeta } from '@ambient/kube';
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { inboundBinding } from './waypoint-gateway.ts';
import type { WaypointBinding } from './waypoint.ts';
import { instanceOf, workloadWaypoint } from './waypoint.ts';

export interface WorkloadWaypoint {
  /** The waypoint in front of it; a workload that carries one out has none. */
  readonly binding: WaypointBinding;
  /** What the workload tells of it. */
  readonly fields: Pick<istio.workload.IWorkload, 'waypoint' | 'applicationTunnel'>;
}

/**
 * Of a pod, WorkloadEntry or inline endpoint alike.
 *
 * @param metadata the labels that count for it, and its namespace
 */
export function waypointOfWorkload(
  metadata: Pick<ObjectMeta, 'namespace' | 'labels'>,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): WorkloadWaypoint {
  const gateway = instanceOf(metadata, lookup);
  if (gateway === undefined) {
    const binding = workloadWaypoint(metadata, lookup, mesh);
    return { binding, fields: binding.state === 'bound' ? { waypoint: binding.address } : {} };
  }
  const tunnel = inboundBinding(gateway, lookup);
  return { binding: { state: 'none' }, fields: tunnel === undefined ? {} : { applicationTunnel: tunnel } };
}
