// Fields that workloads of all sources fill alike.
import type { MeshSettings } from './mesh-settings.ts';

/** '' stands for cluster.local on the wire. */
export function trustDomainOf(mesh: MeshSettings): string {
  return mesh.trustDomain === 'cluster.local' ? '' : mesh.trustDomain;
}
