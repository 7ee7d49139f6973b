// A whole cluster on one machine.
export { LabCluster } from './lab-cluster.ts';
export type { LabClusterOptions, LabStep } from './lab-cluster.ts';
export { LabStartError } from './lab-start-error.ts';
export { MESH_NAMESPACE } from './mesh-manifests.ts';
export type { MeshOptions } from './mesh-manifests.ts';
export { joinEntrance } from './entrance.ts';
export type { WorkloadName } from './wait-for-workloads.ts';
