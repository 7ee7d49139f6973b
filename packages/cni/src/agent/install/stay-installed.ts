import type { KubeClient, Node } from '@ambient/kube';
import { builtInPath, KubeStatusError, matchesNodeSelection } from '@ambient/kube';
import type { DaemonSet } from '../cluster/resources.ts';
import { agentDaemonSet } from '../cluster/resources.ts';

export interface StayQuestion {
  readonly client: KubeClient;
  /** Of the DaemonSet. */
  readonly namespace: string;
  readonly nodeName: string;
  /** With a configuration of our own, an API server that does not answer is no reason to remove anything. */
  readonly ownConfig: boolean;
  readonly timeoutMs: number;
}

/** Why what is installed stays when this agent ends, or goes. */
export interface StayDecision {
  readonly stay: boolean;
  /** The agent's DaemonSet is gone, or going: the mesh leaves the node, and its pods have to be released. */
  readonly meshLeaves: boolean;
  readonly reason: string;
}

/**
 * Whether the agent ends because another one follows: then the plugin stays, and keeps pods from starting uncaptured
 * meanwhile (facts §8).
 */
export async function decideStay(question: StayQuestion): Promise<StayDecision> {
  const { client, namespace, nodeName, ownConfig, timeoutMs } = question;
  let daemonSet: DaemonSet | undefined;
  try {
    daemonSet = await client.request<DaemonSet>({
      path: builtInPath('DaemonSet', namespace, agentDaemonSet),
      timeoutMs,
      retries: 0,
    });
    if (daemonSet.metadata.deletionTimestamp !== undefined)
      return { stay: false, meshLeaves: true, reason: 'its DaemonSet is being deleted' };
    const node = await client.request<Node>({
      path: builtInPath('Node', undefined, nodeName),
      timeoutMs,
      retries: 0,
    });
    return matchesNodeSelection(daemonSet.spec?.template?.spec, node)
      ? { stay: true, meshLeaves: false, reason: 'its DaemonSet has another one follow' }
      : { stay: false, meshLeaves: false, reason: 'its DaemonSet does not select this node any more' };
  } catch (error) {
    if (error instanceof KubeStatusError && error.status === 404)
      return daemonSet === undefined
        ? { stay: false, meshLeaves: true, reason: 'its DaemonSet is deleted' }
        : { stay: false, meshLeaves: false, reason: 'its node is deleted' };
    if (error instanceof KubeStatusError && error.status === 401)
      return { stay: false, meshLeaves: false, reason: 'its account is deleted, as by an uninstallation' };
    return {
      stay: ownConfig,
      meshLeaves: false,
      reason: 'the API server does not tell whether another one follows',
    };
  }
}
