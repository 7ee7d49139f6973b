import type { ClusterLookup } from '../../cluster/lookup.ts';
import { peerAuthenticationKeys } from './peer-authentication.ts';
import { scopeOf, selectorOf, selects } from './policy-selection.ts';
import type { PolicySettings } from './policy-settings.ts';
import { waypointPolicyKeys } from './waypoint-policy.ts';
import type { WaypointName } from './waypoint-policy.ts';

/** What decides which policies select a workload. */
export interface PolicySubject {
  readonly namespace: string;
  readonly labels: Readonly<Record<string, string>> | undefined;
  /** The waypoints that its traffic comes through: its own, and those of its services. */
  readonly waypoints?: readonly WaypointName[];
}

/**
 * `authorization_policies` of a workload: AuthorizationPolicies with a selector, of its namespace and the root one, sorted;
 * then those that let its waypoints through; then the one that stands for its mTLS mode. Policies of a namespace or of the
 * mesh are not named: ztunnel applies them by their scope.
 *
 * Unlike in Istio, a workload without labels is selected by none.
 */
export function policiesOf(workload: PolicySubject, lookup: ClusterLookup, mesh: PolicySettings): string[] {
  const selected = selectingPolicies(workload, workload.namespace, lookup, mesh);
  if (workload.namespace !== mesh.rootNamespace)
    selected.push(...selectingPolicies(workload, mesh.rootNamespace, lookup, mesh));
  selected.sort();
  return [
    ...selected,
    ...waypointPolicyKeys(workload.waypoints ?? [], lookup, mesh).sort(),
    ...peerAuthenticationKeys(workload, lookup, mesh),
  ];
}

function selectingPolicies(
  { labels }: PolicySubject,
  namespace: string,
  lookup: ClusterLookup,
  mesh: PolicySettings,
): string[] {
  const keys: string[] = [];
  for (const policy of lookup.list('AuthorizationPolicy', 'selecting-by-namespace', namespace)) {
    const selector = selectorOf(policy);
    if (selector === undefined || selector === 'unreadable' || !selects(selector, labels)) continue;
    if (scopeOf(policy, mesh) === 'WORKLOAD_SELECTOR') keys.push(`${namespace}/${policy.metadata.name}`);
  }
  return keys;
}
