import type { AuthorizationPolicy, KubeObject, PeerAuthentication } from '@ambient/kube';
import { parseGoBoolean } from '../../validation/authorization-policy.ts';
import type { PolicySettings } from './policy-settings.ts';

// What a policy applies to, read from objects that may hold any JSON. Cheap: asked once per policy and workload.

/** Annotation that makes an AuthorizationPolicy a rehearsal. */
const DRY_RUN_ANNOTATION = 'istio.io/dry-run';

type Labels = Readonly<Record<string, string>>;

/**
 * The labels that a policy asks for: undefined if it has no selector or an empty one, and so is for its whole namespace
 * (Istio attaches an empty selector to nothing, which leaves a DENY without effect); `unreadable` if it is no map of
 * strings, and so it cannot be known what it selects.
 */
export function selectorOf(policy: KubeObject): Labels | 'unreadable' | undefined {
  const spec: unknown = policy.spec;
  if (!isRecord(spec)) return undefined;
  const selector = spec['selector'];
  if (selector === undefined || selector === null) return undefined;
  if (!isRecord(selector)) return 'unreadable';
  const labels = selector['matchLabels'];
  if (labels === undefined || labels === null) return undefined;
  if (!isRecord(labels)) return 'unreadable';
  let count = 0;
  for (const key in labels) {
    if (typeof labels[key] !== 'string') return 'unreadable';
    count++;
  }
  return count === 0 ? undefined : (labels as Labels);
}

/** Whether labels hold every pair of a selector. A workload without labels is selected by no selector. */
export function selects(selector: Labels, labels: Labels | undefined): boolean {
  if (labels === undefined) return false;
  for (const key in selector) if (labels[key] !== selector[key]) return false;
  return true;
}

/** Why an AuthorizationPolicy has no part in what ztunnel gets. */
export type NotForZtunnel = 'targets-waypoints' | 'dry-run' | 'action' | 'unreadable';

export type PolicyScope = 'GLOBAL' | 'NAMESPACE' | 'WORKLOAD_SELECTOR';

/** Which workloads' ztunnels enforce a policy, or why none does. A dry run is looked at before targets, as in Istio. */
export function scopeOf(policy: AuthorizationPolicy, mesh: PolicySettings): PolicyScope | NotForZtunnel {
  if (isDryRun(policy) && mesh.dryRunPolicies !== true) return 'dry-run';
  if (targetsWaypoints(policy)) return 'targets-waypoints';
  const action = actionOf(policy);
  if (action === undefined) return 'unreadable';
  if (action !== 'ALLOW' && action !== 'DENY') return 'action';
  const selector = selectorOf(policy);
  if (selector === 'unreadable') return 'unreadable';
  if (selector !== undefined) return 'WORKLOAD_SELECTOR';
  return policy.metadata.namespace === mesh.rootNamespace ? 'GLOBAL' : 'NAMESPACE';
}

/** The action of a policy; undefined for one that the API does not have. */
export function actionOf(policy: AuthorizationPolicy): 'ALLOW' | 'DENY' | 'AUDIT' | 'CUSTOM' | undefined {
  const action: unknown = isRecord(policy.spec) ? policy.spec['action'] : undefined;
  switch (action ?? 'ALLOW') {
    case 'ALLOW':
      return 'ALLOW';
    case 'DENY':
      return 'DENY';
    case 'AUDIT':
      return 'AUDIT';
    case 'CUSTOM':
      return 'CUSTOM';
    default:
      return undefined;
  }
}

/** Whether a policy is a rehearsal. A value that is no boolean leaves it enforced, as in Istio. */
export function isDryRun(policy: AuthorizationPolicy): boolean {
  const value: unknown = policy.metadata.annotations?.[DRY_RUN_ANNOTATION];
  return typeof value === 'string' && parseGoBoolean(value) === true;
}

function targetsWaypoints(policy: AuthorizationPolicy): boolean {
  const spec: unknown = policy.spec;
  if (!isRecord(spec)) return false;
  const refs = spec['targetRefs'];
  return isRecord(spec['targetRef']) || (Array.isArray(refs) && refs.length > 0);
}

/** Orders policies by age, then by name, so that the same one wins in every replica and after every restart. */
export function isOlder(a: PeerAuthentication, b: PeerAuthentication): boolean {
  // RFC 3339 to the second, always in UTC: text compares as time does.
  const ageA = a.metadata.creationTimestamp ?? '';
  const ageB = b.metadata.creationTimestamp ?? '';
  return ageA === ageB ? a.metadata.name < b.metadata.name : ageA < ageB;
}

/** Whether a value is a JSON object. */
export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
