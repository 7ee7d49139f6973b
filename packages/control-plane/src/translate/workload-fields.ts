// Fields that workloads of all sources fill alike.
import type { istio } from '@ambient/wire';
import type { MeshSettings } from './mesh-settings.ts';
import type { WaypointBinding } from './waypoint.ts';

/** '' stands for cluster.local on the wire. */
export function trustDomainOf(mesh: MeshSettings): string {
  return mesh.trustDomain === 'cluster.local' ? '' : mesh.trustDomain;
}

/** Where a proxy finds the waypoint; undefined without one. */
export function boundAddress(binding: WaypointBinding): istio.workload.IGatewayAddress | undefined {
  return binding.state === 'bound' ? binding.address : undefined;
}
