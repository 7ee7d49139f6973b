import { istio } from '@ambient/wire';
import type { ClusterLookup } from '../../cluster/lookup.ts';
import type { PeerAuthentication } from '@ambient/kube';
import { parsePolicyPort, validatePeerAuthentication } from '../../validation/peer-authentication.ts';
import type { FieldProblem } from '../../validation/problem.ts';
import { isOlder, isRecord, selectorOf, selects } from './policy-selection.ts';
import type { PolicySettings } from './policy-settings.ts';

const { Action, Scope } = istio.security;

/** Name, in the root namespace, of the policy that STRICT workloads refer to. No Kubernetes name has an underscore. */
const STATIC_STRICT_NAME = 'istio_converted_static_strict';

/** Resource name of the policy that denies whoever presents no identity. */
export function staticStrictKey(mesh: PolicySettings): string {
  return `${mesh.rootNamespace}/${STATIC_STRICT_NAME}`;
}

export interface PeerAuthenticationTranslation {
  /** Policies by resource name. Several objects give the static one, all the same. */
  readonly policies: ReadonlyMap<string, istio.security.IAuthorization>;
  readonly problems: readonly FieldProblem[];
}

/**
 * A PeerAuthentication as policies that deny plaintext. The static one exists as soon as any PeerAuthentication does, as in
 * Istio; one of its own only where ports differ from the rest of the workload.
 */
export function translatePeerAuthentication(
  policy: PeerAuthentication,
  lookup: ClusterLookup,
  mesh: PolicySettings,
): PeerAuthenticationTranslation {
  const policies = new Map<string, istio.security.IAuthorization>();
  policies.set(staticStrictKey(mesh), staticStrict(mesh));
  const { namespace = '' } = policy.metadata;
  const selector = selectorOf(policy);
  if (selector !== undefined && selector !== 'unreadable' && namespace !== mesh.rootNamespace) {
    const rules = portRules(policy, parentIsStrict(namespace, lookup, mesh));
    if (rules.length > 0)
      policies.set(convertedKey(policy), {
        name: convertedName(policy),
        namespace,
        scope: Scope.WORKLOAD_SELECTOR,
        action: Action.DENY,
        rules,
      });
  }
  return { policies, problems: validatePeerAuthentication(policy) };
}

/**
 * Names of the policies by which a workload's mTLS mode is enforced: none, the static one, or the converted one of its
 * oldest PeerAuthentication.
 */
export function peerAuthenticationKeys(
  workload: { readonly namespace: string; readonly labels: Readonly<Record<string, string>> | undefined },
  lookup: ClusterLookup,
  mesh: PolicySettings,
): string[] {
  const { namespace, labels } = workload;
  const strict = parentIsStrict(namespace, lookup, mesh);
  const own = namespace === mesh.rootNamespace ? undefined : oldestSelecting(namespace, labels, lookup);
  if (own === undefined) return strict ? [staticStrictKey(mesh)] : [];
  switch (attachment(own, strict)) {
    case 'converted':
      return [convertedKey(own)];
    case 'static':
      return [staticStrictKey(mesh)];
    case 'none':
      return [];
  }
}

/** Whether workloads of a namespace without a PeerAuthentication of their own are STRICT. */
function parentIsStrict(namespace: string, lookup: ClusterLookup, mesh: PolicySettings): boolean {
  const ofNamespace = oldestWithoutSelector(namespace, lookup);
  const mode = ofNamespace === undefined ? 'UNSET' : modeOf(specField(ofNamespace, 'mtls'));
  if (mode !== 'UNSET' || namespace === mesh.rootNamespace) return mode === 'STRICT';
  const ofMesh = oldestWithoutSelector(mesh.rootNamespace, lookup);
  return ofMesh !== undefined && modeOf(specField(ofMesh, 'mtls')) === 'STRICT';
}

function oldestWithoutSelector(namespace: string, lookup: ClusterLookup): PeerAuthentication | undefined {
  let oldest: PeerAuthentication | undefined;
  for (const policy of lookup.list('PeerAuthentication', 'by-namespace', namespace)) {
    if (selectorOf(policy) !== undefined) continue;
    if (oldest === undefined || isOlder(policy, oldest)) oldest = policy;
  }
  return oldest;
}

function oldestSelecting(
  namespace: string,
  labels: Readonly<Record<string, string>> | undefined,
  lookup: ClusterLookup,
): PeerAuthentication | undefined {
  let oldest: PeerAuthentication | undefined;
  for (const policy of lookup.list('PeerAuthentication', 'by-namespace', namespace)) {
    const selector = selectorOf(policy);
    if (selector === undefined || selector === 'unreadable' || !selects(selector, labels)) continue;
    if (oldest === undefined || isOlder(policy, oldest)) oldest = policy;
  }
  return oldest;
}

type Mode = 'UNSET' | 'STRICT' | 'PERMISSIVE' | 'DISABLE';

/** A mode that cannot be read counts as STRICT: somebody asked for something, and nothing else is sure to be no less. */
function modeOf(mtls: unknown): Mode {
  if (mtls === undefined || mtls === null) return 'UNSET';
  if (!isRecord(mtls)) return 'STRICT';
  switch (mtls['mode'] ?? 'UNSET') {
    case 'UNSET':
      return 'UNSET';
    case 'PERMISSIVE':
      return 'PERMISSIVE';
    case 'DISABLE':
      return 'DISABLE';
    default:
      return 'STRICT';
  }
}

/** Ports with a mode of their own, in order. A key that is no port has no meaning and is only reported. */
function portModes(policy: PeerAuthentication): [port: number, mode: Mode][] {
  const ports = specField(policy, 'portLevelMtls');
  if (!isRecord(ports)) return [];
  const modes: [number, Mode][] = [];
  for (const [key, mtls] of Object.entries(ports)) {
    const port = parsePolicyPort(key);
    if (port !== undefined) modes.push([port, modeOf(mtls)]);
  }
  return modes.sort(([a], [b]) => a - b);
}

/**
 * Which policy a selected workload refers to. DISABLE counts as PERMISSIVE, but a port with DISABLE alone does not open a
 * workload that inherits STRICT (Istio behaves so).
 */
function attachment(policy: PeerAuthentication, parentStrict: boolean): 'converted' | 'static' | 'none' {
  const mode = modeOf(specField(policy, 'mtls'));
  const ports = portModes(policy);
  const some = (...modes: Mode[]) => ports.some(([, port]) => modes.includes(port));
  if (mode === 'STRICT') return some('PERMISSIVE', 'DISABLE') ? 'converted' : 'static';
  if (mode === 'UNSET' && parentStrict) return some('PERMISSIVE') ? 'converted' : 'static';
  return some('STRICT') ? 'converted' : 'none';
}

/**
 * The rules of a converted policy. Under STRICT one rule: no identity, and none of the ports that are open. Else a rule for
 * each port that is strict. Empty if the ports say nothing that the mode does not.
 */
function portRules(policy: PeerAuthentication, parentStrict: boolean): istio.security.IRule[] {
  const mode = modeOf(specField(policy, 'mtls'));
  const ports = portModes(policy);
  const noIdentity = { notPrincipals: [{ presence: {} }] };
  if (mode === 'STRICT' || (mode === 'UNSET' && parentStrict)) {
    const open = ports.filter(([, port]) => port === 'PERMISSIVE' || port === 'DISABLE');
    if (open.length === 0) return [];
    const clauses: istio.security.IClause[] = [];
    if (mode === 'STRICT') clauses.push({ matches: [noIdentity] });
    for (const [port] of open) clauses.push({ matches: [{ notDestinationPorts: [port] }] });
    // Istio merges the inherited mode in, even where the workload says the same.
    if (parentStrict) clauses.push({ matches: [noIdentity] });
    return [{ clauses }];
  }
  return ports
    .filter(([, port]) => port === 'STRICT')
    .map(([port]) => ({ clauses: [{ matches: [{ ...noIdentity, destinationPorts: [port] }] }] }));
}

function staticStrict(mesh: PolicySettings): istio.security.IAuthorization {
  return {
    name: STATIC_STRICT_NAME,
    namespace: mesh.rootNamespace,
    scope: Scope.WORKLOAD_SELECTOR,
    action: Action.DENY,
    rules: [{ clauses: [{ matches: [{ notPrincipals: [{ presence: {} }] }] }] }],
  };
}

function convertedName(policy: PeerAuthentication): string {
  return `converted_peer_authentication_${policy.metadata.name}`;
}

function convertedKey(policy: PeerAuthentication): string {
  return `${policy.metadata.namespace ?? ''}/${convertedName(policy)}`;
}

function specField(policy: PeerAuthentication, field: string): unknown {
  return isRecord(policy.spec) ? policy.spec[field] : undefined;
}
