/**
 * What a caller may learn by discovery.
 *
 * Workload discovery is not scoped to a node, by its nature: a pod may call any service of the mesh, so its node needs
 * every address and, since any workload may be scheduled there, every policy. What a node may not do is to pose as
 * another: the namespace and account that it names are those of its token, and the node whose workloads are pushed to it
 * unasked is the one that its own pod runs on. Nothing secret travels by discovery.
 */
import { AuthError } from './auth-error.ts';
import type { Caller } from './caller.ts';
import { livePodNode } from './node-authorization.ts';
import type { NodeAuthorizer, PodLookup } from './node-authorization.ts';

/** What the first request says of its sender, from `Node.id` and the metadata. */
export interface DiscoveryNodeClaims {
  /** `NAMESPACE` of the metadata. */
  readonly namespace: string | undefined;
  /** `SERVICE_ACCOUNT` of the metadata. */
  readonly serviceAccount: string | undefined;
  /** `NODE_NAME` of the metadata. */
  readonly nodeName: string | undefined;
}

/** What the caller gets. */
export interface DiscoveryGrant {
  readonly caller: Caller;
  /** Whether it is a trusted node agent. */
  readonly nodeAgent: boolean;
  /** The node whose workloads it gets unasked; undefined: none, it gets what it asks for. */
  readonly nodeName: string | undefined;
}

export interface DiscoveryAuthorizerOptions {
  readonly nodes: Pick<NodeAuthorizer, 'isNodeAgent'>;
  /** The cluster of callers that name none. */
  readonly primaryClusterId: string;
  readonly clusters: ReadonlyMap<string, PodLookup>;
}

/**
 * Compares what a discovery client says of itself with what it proved.
 *
 * A node agent whose pod is not known yet (it may have started before we saw it) is let in without a node. One that names
 * another node than its pod's is refused.
 *
 * @throws AuthError
 */
export function authorizeDiscovery(
  caller: Caller,
  claims: DiscoveryNodeClaims,
  options: DiscoveryAuthorizerOptions,
): DiscoveryGrant {
  const { namespace, serviceAccount } = caller.identity;
  if (claims.namespace === undefined || claims.namespace === '')
    throw new AuthError(
      'node-malformed',
      'The discovery node has no metadata NAMESPACE. Set POD_NAMESPACE of the proxy.',
    );
  if (claims.namespace !== namespace)
    throw new AuthError(
      'node-namespace',
      `The proxy says namespace ${JSON.stringify(claims.namespace.slice(0, 100))}, and its credentials are of ${namespace}. Set POD_NAMESPACE of the proxy to the namespace it runs in.`,
    );
  if (
    claims.serviceAccount !== undefined &&
    claims.serviceAccount !== '' &&
    claims.serviceAccount !== serviceAccount
  )
    throw new AuthError(
      'node-service-account',
      `The proxy says service account ${JSON.stringify(claims.serviceAccount.slice(0, 100))}, and its credentials are of ${serviceAccount}. Set SERVICE_ACCOUNT of the proxy to its own.`,
    );
  const nodeAgent = options.nodes.isNodeAgent(caller);
  return { caller, nodeAgent, nodeName: provenNode(caller, claims.nodeName, options) };
}

function provenNode(
  caller: Caller,
  claimed: string | undefined,
  { clusters, primaryClusterId }: DiscoveryAuthorizerOptions,
): string | undefined {
  if (claimed === undefined || claimed === '') return undefined;
  const pods = clusters.get(caller.clusterId === '' ? primaryClusterId : caller.clusterId);
  const actual = pods === undefined ? undefined : livePodNode(caller, pods);
  const known = actual ?? caller.nodeName;
  if (known !== undefined && known !== claimed)
    throw new AuthError(
      'node-name',
      `The proxy says node ${JSON.stringify(claimed.slice(0, 100))}, and its pod runs on ${known}. Set NODE_NAME of the proxy from spec.nodeName.`,
    );
  return known;
}
