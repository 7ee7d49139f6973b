// The waypoints through which traffic may reach a workload.
import type { ClusterLookup } from '../cluster/lookup.ts';
import type { MeshSettings } from './mesh-settings.ts';
import type { WaypointName } from './policies/waypoint-policy.ts';
import type { ServicesByKey } from './selecting-services.ts';
import type { WaypointBinding } from './waypoint.ts';
import { serviceWaypoint } from './waypoint.ts';

/**
 * Its own, and those of its services, canaries included. Asked for only where policies admit waypoints by themselves
 * (`autoAllowWaypoint`): otherwise no resource of the workload depends on them.
 */
export function waypointsInFront(
  own: WaypointBinding,
  services: ServicesByKey,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): readonly WaypointName[] {
  if (!mesh.autoAllowWaypoint) return [];
  const names = new Map<string, WaypointName>();
  const add = (binding: WaypointBinding): void => {
    if (binding.state !== 'bound') return;
    for (const name of [binding.gateway, binding.canary]) {
      if (name !== undefined) names.set(`${name.namespace}/${name.name}`, name);
    }
  };
  add(own);
  for (const service of services.values()) add(serviceWaypoint(service.metadata, lookup, mesh));
  return [...names.values()];
}
