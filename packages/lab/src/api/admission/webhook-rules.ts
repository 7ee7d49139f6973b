import { isJsonObject } from '../object.ts';
import type { JsonObject } from '../object.ts';
import type { AdmissionRequest, Webhook } from './webhook.ts';

/** What webhooks ask about namespaces: their labels, or undefined for one that does not exist. */
export type NamespaceLabels = (name: string) => Readonly<Record<string, string>> | undefined;

/** Whether a webhook wants to see a request: rules, namespaceSelector, objectSelector. */
export function webhookMatches(
  webhook: Webhook,
  request: AdmissionRequest,
  labelsOf: NamespaceLabels,
): boolean {
  return (
    !isWebhookConfiguration(request) &&
    (webhook.rules ?? []).some((rule) => ruleMatches(rule, request)) &&
    namespaceMatches(webhook.namespaceSelector, request, labelsOf) &&
    objectMatches(webhook.objectSelector, request)
  );
}

/** Webhooks are never asked about webhook configurations: a bad one could then not be removed. */
function isWebhookConfiguration({ group, kind }: AdmissionRequest): boolean {
  return group === 'admissionregistration.k8s.io' && kind.endsWith('WebhookConfiguration');
}

function ruleMatches(rule: NonNullable<Webhook['rules']>[number], request: AdmissionRequest): boolean {
  return (
    listed(rule.operations, request.operation) &&
    listed(rule.apiGroups, request.group) &&
    listed(rule.apiVersions, request.version) &&
    (rule.resources ?? []).some((each) => resourceMatches(each, request)) &&
    scopeMatches(rule.scope ?? '*', request)
  );
}

function listed(list: readonly string[] | undefined, wanted: string): boolean {
  return list?.some((each) => each === '*' || each === wanted) === true;
}

/** `pods`, `pods/status`, or with stars for the one or the other; without a part behind the slash, the object itself. */
function resourceMatches(pattern: string, { resource, subresource }: AdmissionRequest): boolean {
  const slash = pattern.indexOf('/');
  const [name, part] = slash === -1 ? [pattern, ''] : [pattern.slice(0, slash), pattern.slice(slash + 1)];
  return (name === '*' || name === resource) && (part === '*' || part === subresource);
}

function scopeMatches(scope: string, request: AdmissionRequest): boolean {
  const cluster = request.namespace === '' || isNamespace(request);
  return scope === '*' || (scope === 'Cluster') === cluster;
}

function isNamespace({ group, resource }: AdmissionRequest): boolean {
  return group === '' && resource === 'namespaces';
}

function namespaceMatches(
  selector: LabelSelector | undefined,
  request: AdmissionRequest,
  labelsOf: NamespaceLabels,
): boolean {
  if (selectsAll(selector)) return true;
  if (isNamespace(request)) {
    // A namespace is judged by the labels that it is to have.
    const labels = labelsIn(request.operation === 'DELETE' ? request.oldObject : request.object);
    return selectorMatches(selector, labels ?? labelsOf(request.name) ?? {});
  }
  if (request.namespace === '') return true;
  return selectorMatches(selector, labelsOf(request.namespace) ?? {});
}

function objectMatches(selector: LabelSelector | undefined, request: AdmissionRequest): boolean {
  if (selectsAll(selector)) return true;
  return [request.object, request.oldObject].some(
    (object) => object !== undefined && selectorMatches(selector, labelsIn(object) ?? {}),
  );
}

function labelsIn(object: JsonObject | undefined): Readonly<Record<string, string>> | undefined {
  const metadata = object?.['metadata'];
  const labels = isJsonObject(metadata) ? metadata['labels'] : undefined;
  return isJsonObject(labels) ? (labels as Record<string, string>) : undefined;
}

/** `metav1.LabelSelector`. */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>>;
  readonly matchExpressions?: readonly {
    readonly key: string;
    readonly operator: string;
    readonly values?: readonly string[];
  }[];
}

function selectsAll(selector: LabelSelector | undefined): boolean {
  return (
    Object.keys(selector?.matchLabels ?? {}).length === 0 && (selector?.matchExpressions ?? []).length === 0
  );
}

/** An operator that is not known selects nothing. */
function selectorMatches(
  selector: LabelSelector | undefined,
  labels: Readonly<Record<string, string>>,
): boolean {
  const value = (key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
  return (
    Object.entries(selector?.matchLabels ?? {}).every(([key, wanted]) => value(key) === wanted) &&
    (selector?.matchExpressions ?? []).every(({ key, operator, values = [] }) => {
      const is = value(key);
      if (operator === 'In') return is !== undefined && values.includes(is);
      if (operator === 'NotIn') return is === undefined || !values.includes(is);
      if (operator === 'Exists') return is !== undefined;
      return operator === 'DoesNotExist' && is === undefined;
    })
  );
}
