import type { KubeClient, LabelSelectorRequirement, Node } from '@ambient/kube';
import { KubeStatusError } from '@ambient/kube';
import type { DaemonSet, NodeSelectorTerm } from '../cluster/resources.ts';
import { daemonSetPath } from '../cluster/resources.ts';

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
  readonly reason: string;
}

/**
 * Whether the agent ends because another one follows: then the plugin stays, and keeps pods from starting uncaptured
 * meanwhile (facts §8).
 */
export async function decideStay(question: StayQuestion): Promise<StayDecision> {
  const { client, namespace, nodeName, ownConfig, timeoutMs } = question;
  try {
    const daemonSet = await client.request<DaemonSet>({
      path: daemonSetPath(namespace),
      timeoutMs,
      retries: 0,
    });
    if (daemonSet.metadata.deletionTimestamp !== undefined)
      return { stay: false, reason: 'its DaemonSet is being deleted' };
    const node = await client.request<Node>({
      path: `/api/v1/nodes/${encodeURIComponent(nodeName)}`,
      timeoutMs,
      retries: 0,
    });
    return runsOn(daemonSet, node)
      ? { stay: true, reason: 'its DaemonSet has another one follow' }
      : { stay: false, reason: 'its DaemonSet does not select this node any more' };
  } catch (error) {
    if (error instanceof KubeStatusError && error.status === 404)
      return { stay: false, reason: 'its DaemonSet or its node is deleted' };
    if (error instanceof KubeStatusError && error.status === 401)
      return { stay: false, reason: 'its account is deleted, as by an uninstallation' };
    return { stay: ownConfig, reason: 'the API server does not tell whether another one follows' };
  }
}

/** Whether a DaemonSet's pods belong on a node, by node selector and required affinity. */
export function runsOn(daemonSet: DaemonSet, node: Node): boolean {
  const { nodeSelector = {}, affinity } = daemonSet.spec?.template?.spec ?? {};
  const labels = node.metadata.labels ?? {};
  if (Object.entries(nodeSelector).some(([key, value]) => labels[key] !== value)) return false;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesTerm(term, labels, node.metadata.name));
}

function matchesTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  labels: Readonly<Record<string, string>>,
  name: string,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((requirement) => holds(requirement, labels[requirement.key])) &&
    matchFields.every((requirement) =>
      holds(requirement, requirement.key === 'metadata.name' ? name : undefined),
    )
  );
}

/** NodeSelectorRequirement: as of labels, and comparisons of whole numbers. */
function holds({ operator, values = [] }: LabelSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    case 'Gt':
      return value !== undefined && Number(value) > Number(values[0]);
    case 'Lt':
      return value !== undefined && Number(value) < Number(values[0]);
    default:
      return false;
  }
}
