export { ECHO_PORT, HTTP_PORT, MeshCluster, REDIRECTION, SHOP } from './mesh-cluster.ts';
export type { MeshClusterOptions } from './mesh-cluster.ts';
export type { MeshPod, PodObject, PodOptions } from './pods.ts';
export { OUTSIDE, startStrictMesh } from './strict-mesh.ts';
export type { StrictMesh } from './strict-mesh.ts';
export {
  authorization,
  authorizationPolicies,
  identity,
  peerAuthentications,
  principal,
  service,
  strict,
} from './objects.ts';
export { waitFor } from '@ambient/testkit/lab';
