import type { Namespace, Pod } from '@ambient/kube';

/* Which pods should be in the mesh, by the rule of the node agent, and which are. */

const modeLabel = 'istio.io/dataplane-mode';
const redirection = 'ambient.istio.io/redirection';

/** A node, as the check found it. */
export interface NodeCapture {
  readonly node: string;
  /** Name of the ztunnel that is ready there; undefined if there is none. */
  readonly ztunnel: string | undefined;
  readonly captured: number;
  /** `NAME.NAMESPACE` of pods that should be captured and are not. */
  readonly missing: readonly string[];
}

/** Whether a pod's traffic is to be carried: by its own label, else by that of its namespace. */
function isWantedInMesh(pod: Pod, namespace: Namespace | undefined): boolean {
  if (pod.spec?.hostNetwork === true) return false;
  // A pod with a sidecar proxy has that in place of the node's.
  if (pod.metadata.annotations?.['sidecar.istio.io/status'] !== undefined) return false;
  const mode = pod.metadata.labels?.[modeLabel] ?? namespace?.metadata.labels?.[modeLabel];
  return mode === 'ambient';
}

/** @param ztunnels pods of the node proxy */
export function captureByNode(
  pods: readonly Pod[],
  namespaces: readonly Namespace[],
  ztunnels: readonly Pod[],
): NodeCapture[] {
  const byName = new Map(namespaces.map((namespace) => [namespace.metadata.name, namespace]));
  const ready = new Map(
    ztunnels.filter(isReady).map((pod) => [pod.spec?.nodeName, pod.metadata.name] as const),
  );
  const nodes = new Map<string, { captured: number; missing: string[] }>();
  const at = (node: string): { captured: number; missing: string[] } => {
    let entry = nodes.get(node);
    if (entry === undefined) nodes.set(node, (entry = { captured: 0, missing: [] }));
    return entry;
  };
  for (const node of ready.keys()) if (node !== undefined) at(node);
  for (const pod of pods) {
    const node = pod.spec?.nodeName;
    if (node === undefined || pod.status?.phase !== 'Running' || pod.metadata.deletionTimestamp !== undefined)
      continue;
    const { name, namespace = '', annotations } = pod.metadata;
    if (annotations?.[redirection] === 'enabled') at(node).captured++;
    else if (isWantedInMesh(pod, byName.get(namespace))) at(node).missing.push(`${name}.${namespace}`);
  }
  return [...nodes]
    .map(([node, { captured, missing }]) => ({
      node,
      ztunnel: ready.get(node),
      captured,
      missing: missing.sort(),
    }))
    .sort((a, b) => (a.node < b.node ? -1 : 1));
}

function isReady({ status }: Pod): boolean {
  return status?.conditions?.some((each) => each.type === 'Ready' && each.status === 'True') === true;
}
