import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../../cluster/lookup.ts';
import type { Gateway } from '@ambient/kube';
import type { PolicySettings } from './policy-settings.ts';

const { Action, Scope } = istio.security;

/** A Gateway that is a waypoint, by name. */
export interface WaypointName {
  readonly namespace: string;
  readonly name: string;
}

/** Resource name of the policy that lets a waypoint through, whether or not there is one. */
function waypointPolicyName({ namespace, name }: WaypointName): string {
  return `istio_allow_waypoint_${namespace}_${name}`;
}

/**
 * Keys of the policies that let through the waypoints that a workload is behind. None without the setting, or while a
 * waypoint has no pods: it has no identity yet that could be let through.
 */
export function waypointPolicyKeys(
  waypoints: readonly WaypointName[],
  lookup: ClusterLookup,
  mesh: PolicySettings,
): string[] {
  if (mesh.autoAllowWaypoint !== true) return [];
  return waypoints
    .filter((waypoint) => accountsOf(waypoint, lookup).length > 0)
    .map((waypoint) => `${waypoint.namespace}/${waypointPolicyName(waypoint)}`);
}

/**
 * The ALLOW policy of a waypoint (PILOT_AUTO_ALLOW_WAYPOINT_POLICY): it names the service accounts of the waypoint's pods.
 * A workload that refers to it takes no other connections, unless another ALLOW policy lets them in.
 *
 * @returns the policy and its resource name, or undefined if the setting is off or the Gateway is no waypoint with pods
 */
export function translateWaypointPolicy(
  gateway: Gateway,
  lookup: ClusterLookup,
  mesh: PolicySettings,
): { readonly name: string; readonly authorization: istio.security.IAuthorization } | undefined {
  if (mesh.autoAllowWaypoint !== true || (gateway.status?.addresses ?? []).length === 0) return undefined;
  const { name, namespace = '' } = gateway.metadata;
  const accounts = accountsOf({ namespace, name }, lookup);
  if (accounts.length === 0) return undefined;
  const policy = waypointPolicyName({ namespace, name });
  return {
    name: `${namespace}/${policy}`,
    authorization: {
      name: policy,
      namespace,
      scope: Scope.WORKLOAD_SELECTOR,
      action: Action.ALLOW,
      rules: [
        {
          clauses: [
            {
              matches: [
                {
                  principals: accounts.map((account) => ({
                    exact: `${mesh.trustDomain}/ns/${namespace}/sa/${account}`,
                  })),
                },
              ],
            },
          ],
        },
      ],
    },
  };
}

function accountsOf({ namespace, name }: WaypointName, lookup: ClusterLookup): string[] {
  const accounts = new Set<string>();
  for (const pod of lookup.list('Pod', 'by-gateway', `${namespace}/${name}`))
    accounts.add(pod.spec?.serviceAccountName ?? 'default');
  return [...accounts].sort();
}
