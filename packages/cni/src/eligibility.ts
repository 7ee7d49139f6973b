// Shared by the plugin and the agent. Imports little: the plugin starts once per pod.
import type { LabelSelector, LabelSelectorRequirement } from '@ambient/kube';
import { matchesLabelSelector } from '@ambient/kube/label-selector';

/** Pods that belong to the mesh: those that both selectors match. */
export interface EnablementSelector {
  readonly podSelector?: LabelSelector;
  readonly namespaceSelector?: LabelSelector;
}

/** What the decision depends on. */
export interface EnrolmentFacts {
  readonly namespace: string;
  readonly namespaceLabels: Readonly<Record<string, string>> | undefined;
  readonly podLabels: Readonly<Record<string, string>> | undefined;
  readonly podAnnotations: Readonly<Record<string, string>> | undefined;
  readonly hostNetwork: boolean;
}

export interface EnrolmentSettings {
  /** One that matches is enough; with none, no pod belongs to the mesh. */
  readonly selectors: readonly EnablementSelector[];
  readonly excludedNamespaces: readonly string[];
}

export type Enrolment =
  { readonly enrolled: true } | { readonly enrolled: false; readonly reason: NotEnrolledReason };

export type NotEnrolledReason = 'namespace-excluded' | 'host-network' | 'has-sidecar' | 'not-selected';

const DATAPLANE_MODE_LABEL = 'istio.io/dataplane-mode';
const SIDECAR_ANNOTATION = 'sidecar.istio.io/status';

/** The chart's: a pod labelled so, or in a namespace labelled so unless the pod says no. */
export const standardSelectors: readonly EnablementSelector[] = [
  { podSelector: { matchLabels: { [DATAPLANE_MODE_LABEL]: 'ambient' } } },
  {
    podSelector: { matchExpressions: [{ key: DATAPLANE_MODE_LABEL, operator: 'NotIn', values: ['none'] }] },
    namespaceSelector: { matchLabels: { [DATAPLANE_MODE_LABEL]: 'ambient' } },
  },
];

/** Whether a pod's traffic is the mesh's (facts §8). */
export function decideEnrolment(facts: EnrolmentFacts, settings: EnrolmentSettings): Enrolment {
  const no = (reason: NotEnrolledReason): Enrolment => ({ enrolled: false, reason });
  if (settings.excludedNamespaces.includes(facts.namespace)) return no('namespace-excluded');
  if (facts.hostNetwork) return no('host-network');
  if (labelOf(facts.podAnnotations, SIDECAR_ANNOTATION) !== undefined) return no('has-sidecar');
  const selected = settings.selectors.some(
    ({ podSelector, namespaceSelector }) =>
      matchesLabelSelector(podSelector ?? {}, facts.podLabels) &&
      matchesLabelSelector(namespaceSelector ?? {}, facts.namespaceLabels),
  );
  return selected ? { enrolled: true } : no('not-selected');
}

/** A selector that cannot be used, by its place in the list. */
export class SelectorError extends Error {
  override readonly name = 'SelectorError';
  readonly code = 'ERR_ENABLEMENT_SELECTOR';
}

/**
 * Reads a list of selectors as the agent's configuration and the conflist have it.
 * @param path of the list, for messages
 * @throws SelectorError naming the field: a selector that is half understood would match the wrong pods
 */
export function readSelectors(value: unknown, path: string): readonly EnablementSelector[] {
  if (value === undefined || value === null) return [];
  if (!Array.isArray(value)) throw new SelectorError(`${path} must be a list`);
  return value.map((entry: unknown, index) => {
    const at = `${path}[${index}]`;
    const { podSelector, namespaceSelector } = mapping(entry, at);
    return {
      podSelector: readSelector(podSelector, `${at}.podSelector`),
      namespaceSelector: readSelector(namespaceSelector, `${at}.namespaceSelector`),
    };
  });
}

function readSelector(value: unknown, path: string): LabelSelector {
  const { matchLabels, matchExpressions } = mapping(value ?? {}, path);
  for (const [key, label] of Object.entries(mapping(matchLabels ?? {}, `${path}.matchLabels`)))
    if (typeof label !== 'string') throw new SelectorError(`${path}.matchLabels.${key} must be text`);
  if (matchExpressions !== undefined && matchExpressions !== null && !Array.isArray(matchExpressions))
    throw new SelectorError(`${path}.matchExpressions must be a list`);
  const requirements = (matchExpressions ?? []) as readonly unknown[];
  return {
    matchLabels: (matchLabels ?? {}) as Record<string, string>,
    matchExpressions: requirements.map((entry, index) =>
      readRequirement(entry, `${path}.matchExpressions[${index}]`),
    ),
  };
}

function readRequirement(value: unknown, path: string): LabelSelectorRequirement {
  const { key, operator, values } = mapping(value, path);
  if (typeof key !== 'string' || key === '') throw new SelectorError(`${path}.key must be text`);
  const list: readonly unknown[] = Array.isArray(values) ? values : [];
  const strings = list.filter((entry) => typeof entry === 'string');
  switch (operator) {
    case 'In':
    case 'NotIn':
      if (strings.length === 0 || strings.length !== list.length)
        throw new SelectorError(`${path}.values must be a list of text`);
      return { key, operator, values: strings };
    case 'Exists':
    case 'DoesNotExist':
      if (list.length > 0) throw new SelectorError(`${path}.values must be empty with ${operator}`);
      return { key, operator };
    default:
      throw new SelectorError(`${path}.operator must be In, NotIn, Exists or DoesNotExist`);
  }
}

function mapping(value: unknown, path: string): Record<string, unknown> {
  if (typeof value === 'object' && value !== null && !Array.isArray(value))
    return value as Record<string, unknown>;
  throw new SelectorError(`${path} must be an object`);
}

function labelOf(labels: Readonly<Record<string, string>> | undefined, key: string): string | undefined {
  return labels !== undefined && Object.hasOwn(labels, key) ? labels[key] : undefined;
}
