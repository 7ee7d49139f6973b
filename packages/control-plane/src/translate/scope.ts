// Which objects this control plane looks at, before anything else does.
import type { KindName, KubeObject, Namespace } from '@ambient/kube';
import { matchesLabelSelector } from '@ambient/kube/label-selector';
import type { MeshSettings } from './mesh-settings.ts';

const REVISION_LABEL = 'istio.io/rev';

const revisioned: ReadonlySet<KindName> = new Set([
  'ServiceEntry',
  'WorkloadEntry',
  'AuthorizationPolicy',
  'PeerAuthentication',
]);

/**
 * Whether an object of a kind that follows revisions belongs to ours: unlabelled objects belong to all.
 */
export function isOfRevision(kind: KindName, object: KubeObject, revision: string): boolean {
  if (!revisioned.has(kind)) return true;
  const label = object.metadata.labels?.[REVISION_LABEL];
  return label === undefined || label === revision;
}

/** Whether the objects of a namespace are looked at (MeshConfig.discoverySelectors). The system namespace always is. */
export function isDiscovered(namespace: Namespace, mesh: MeshSettings): boolean {
  if (mesh.discoverySelectors.length === 0 || namespace.metadata.name === mesh.systemNamespace) return true;
  return mesh.discoverySelectors.some((selector) =>
    matchesLabelSelector(selector, namespace.metadata.labels),
  );
}
