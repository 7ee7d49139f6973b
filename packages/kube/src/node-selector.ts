// What pods ask of nodes, as Kubernetes evaluates it: `spec.nodeSelector` and required node affinity.
import { hasLabels, labelOf, satisfies } from './label-selector.ts';
import type { KubeObject, LabelSelectorRequirement } from './objects.ts';

export interface NodeSelectorTerm {
  /** On labels: as LabelSelectors have them, and `Gt` and `Lt` of integers. */
  readonly matchExpressions?: readonly LabelSelectorRequirement[];
  /** On `metadata.name` only. */
  readonly matchFields?: readonly LabelSelectorRequirement[];
}

/** The fields of a PodSpec that choose nodes. */
export interface NodeSelection {
  readonly nodeSelector?: Readonly<Record<string, string>>;
  readonly affinity?: {
    readonly nodeAffinity?: {
      readonly requiredDuringSchedulingIgnoredDuringExecution?: {
        readonly nodeSelectorTerms: readonly NodeSelectorTerm[];
      };
    };
  };
}

type NodeLike = Pick<KubeObject, 'metadata'>;

/** Whether a pod that says this may run on a node; one that says nothing may run anywhere. */
export function matchesNodeSelection(selection: NodeSelection | undefined, node: NodeLike): boolean {
  const { nodeSelector = {}, affinity } = selection ?? {};
  if (!hasLabels(node.metadata.labels, nodeSelector)) return false;
  const terms = affinity?.nodeAffinity?.requiredDuringSchedulingIgnoredDuringExecution?.nodeSelectorTerms;
  return terms === undefined || terms.some((term) => matchesNodeSelectorTerm(term, node));
}

/** All of it has to hold; an empty term matches nothing. */
export function matchesNodeSelectorTerm(
  { matchExpressions = [], matchFields = [] }: NodeSelectorTerm,
  { metadata }: NodeLike,
): boolean {
  if (matchExpressions.length + matchFields.length === 0) return false;
  return (
    matchExpressions.every((each) => isAsRequired(labelOf(metadata.labels, each.key), each)) &&
    matchFields.every((each) => each.key === 'metadata.name' && isAsRequired(metadata.name, each))
  );
}

function isAsRequired(value: string | undefined, requirement: LabelSelectorRequirement): boolean {
  const limit = Number(requirement.values?.[0]);
  switch (requirement.operator) {
    case 'Gt':
      return value !== undefined && Number(value) > limit;
    case 'Lt':
      return value !== undefined && Number(value) < limit;
    default:
      return satisfies(value, requirement);
  }
}
