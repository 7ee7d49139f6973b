import type { MeshDefaults } from './mesh-settings.ts';

/** Of a control plane whose settings nobody has changed. */
export const meshDefaults: MeshDefaults = {
  clusterId: 'Kubernetes',
  domain: 'cluster.local',
  systemNamespace: 'istio-system',
  revision: 'default',
  dryRunPolicies: false,
  autoAllowWaypoint: false,
  multiNetwork: false,
};
