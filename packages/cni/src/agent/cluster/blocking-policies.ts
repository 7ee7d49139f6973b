import type { Pod } from '@ambient/kube';
import { matchesLabelSelector } from '@ambient/kube';
import { ztunnelPorts } from '../../rules/pod-rules.ts';
import type { NetworkPolicy, NetworkPolicyRule } from './resources.ts';

export type Direction = 'ingress' | 'egress';

/**
 * Directions in which a policy selects a pod and lets no HBONE pass: none of its rules has TCP port 15008. Other policies
 * may let it pass, since rules of all of them add up.
 */
function blockedDirections(policy: NetworkPolicy): readonly Direction[] {
  const { ingress, egress, policyTypes } = policy.spec ?? {};
  const directions: Direction[] = [];
  if (policyTypes?.includes('Ingress') ?? true) directions.push('ingress');
  if (policyTypes?.includes('Egress') ?? egress !== undefined) directions.push('egress');
  return directions.filter((direction) => !(direction === 'ingress' ? ingress : egress)?.some(letsHbonePass));
}

/** Policies that together keep HBONE from a pod, by direction; empty where one of them lets it pass, or none selects it. */
export function policiesBlocking(
  pod: Pod,
  policies: readonly NetworkPolicy[],
): ReadonlyMap<Direction, readonly NetworkPolicy[]> {
  const selecting = policies.filter(({ spec }) =>
    matchesLabelSelector(spec?.podSelector ?? {}, pod.metadata.labels),
  );
  const blocking = new Map<Direction, readonly NetworkPolicy[]>();
  for (const direction of ['ingress', 'egress'] as const) {
    const isolating = selecting.filter((policy) => concerns(policy, direction));
    if (isolating.length === 0) continue;
    const blocked = isolating.filter((policy) => blockedDirections(policy).includes(direction));
    if (blocked.length === isolating.length) blocking.set(direction, blocked);
  }
  return blocking;
}

/** The rule to add, as it goes into the policy's YAML. */
export function neededRule(direction: Direction): string {
  return `spec.${direction}: [{ports: [{port: ${ztunnelPorts.hbone}, protocol: TCP}]}]`;
}

function concerns({ spec }: NetworkPolicy, direction: Direction): boolean {
  const { policyTypes, egress } = spec ?? {};
  return direction === 'ingress'
    ? (policyTypes?.includes('Ingress') ?? true)
    : (policyTypes?.includes('Egress') ?? egress !== undefined);
}

/** Whom a rule names does not matter here: who may call is the policy's business, by which port is ours. */
function letsHbonePass({ ports }: NetworkPolicyRule): boolean {
  if (ports === undefined || ports.length === 0) return true;
  return ports.some(({ protocol, port, endPort }) => {
    if ((protocol ?? 'TCP') !== 'TCP') return false;
    if (port === undefined) return true;
    if (typeof port === 'string') return false;
    return port <= ztunnelPorts.hbone && ztunnelPorts.hbone <= (endPort ?? port);
  });
}
