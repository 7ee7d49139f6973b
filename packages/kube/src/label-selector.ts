// Label selectors, as Kubernetes evaluates them.
import type { LabelSelector, LabelSelectorRequirement } from './objects.ts';

type Labels = Readonly<Record<string, string>>;

/** Whether every pair of `wanted` stands in `labels`. An empty `wanted` is satisfied by anything. */
export function hasLabels(labels: Labels | undefined, wanted: Labels): boolean {
  for (const key in wanted) {
    if (labelOf(labels, key) !== wanted[key]) return false;
  }
  return true;
}

/** metav1.LabelSelector: pairs and expressions all have to hold. An unknown operator matches nothing. */
export function matchesLabelSelector(selector: LabelSelector, labels: Labels = {}): boolean {
  if (!hasLabels(labels, selector.matchLabels ?? {})) return false;
  return (selector.matchExpressions ?? []).every((each) => satisfies(labelOf(labels, each.key), each));
}

/** Whether a label's value (undefined: there is none) is as required; not by an unknown operator. */
export function satisfies(
  value: string | undefined,
  { operator, values = [] }: LabelSelectorRequirement,
): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      return false;
  }
}

/** A label named like a property of every object (`constructor`) is a label like any other. */
export function labelOf(labels: Labels | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
