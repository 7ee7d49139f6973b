import type { Condition, KubeObject } from '@ambient/kube';

/** One condition as it should stand: what is true of the object, since when is found out here. */
export interface WantedCondition {
  readonly type: string;
  readonly status: Condition['status'];
  /** One word that programs read. */
  readonly reason: string;
  readonly message: string;
}

/**
 * Who owns which part of a status, the names that Istio uses. Each writes all of its conditions at once; the API server
 * takes away what its owner no longer sends, and leaves the parts of others alone.
 */
export const fieldManagers = {
  service: 'istio-ambient-service',
  workloadEntry: 'istio-ambient-workloadentry',
  ztunnelPolicy: 'istio-ambient-ztunnel-policy',
  waypointPolicy: 'istio-ambient-waypoint-policy',
  addresses: 'istio-ip-autoallocate',
  /** Not of Istio, which writes the status of routes without a name of its own. */
  routes: 'ambient-routes',
} as const;

/** A server-side apply on the status subresource. */
export interface StatusApply {
  readonly fieldManager: string;
  readonly body: {
    readonly apiVersion: string;
    readonly kind: string;
    readonly metadata: { readonly name: string; readonly namespace?: string };
    readonly status: Readonly<Record<string, unknown>>;
  };
}

/** The API server refuses longer messages. */
const maxMessage = 32_768;

/**
 * What is to be applied so that the conditions of one owner stand as wanted, or undefined if they do already.
 *
 * `lastTransitionTime` moves only when a status does (API conventions of metav1.Condition); `observedGeneration` is that of
 * the object judged. A type that is owned and not wanted goes.
 *
 * @param owned all types that this owner ever writes to this kind
 * @param now RFC 3339, to the second
 */
export function applyConditions(
  object: KubeObject,
  fieldManager: string,
  owned: readonly string[],
  wanted: readonly WantedCondition[],
  now: string,
): StatusApply | undefined {
  const current = conditionsIn(object.status);
  const conditions = withTimes(wanted, current, object.metadata.generation, now);
  const ofOwner = current.filter(({ type }) => owned.includes(type));
  const isCurrent =
    ofOwner.length === conditions.length &&
    conditions.every((condition) => ofOwner.some((before) => sameCondition(before, condition)));
  return isCurrent ? undefined : statusApply(object, fieldManager, { conditions });
}

/**
 * Conditions as they are to be written over those that stand.
 *
 * @param generation of the object judged
 * @param now RFC 3339, to the second
 */
export function withTimes(
  wanted: readonly WantedCondition[],
  standing: readonly Condition[],
  generation: number | undefined,
  now: string,
): Condition[] {
  return wanted.map((condition) => {
    const before = standing.find(({ type }) => type === condition.type);
    const since = before?.status === condition.status ? before.lastTransitionTime : undefined;
    return {
      ...condition,
      message: condition.message.slice(0, maxMessage),
      lastTransitionTime: since ?? now,
      ...(generation === undefined ? {} : { observedGeneration: generation }),
    };
  });
}

/** An apply of part of an object's status. */
export function statusApply(
  { apiVersion, kind, metadata: { name, namespace } }: KubeObject,
  fieldManager: string,
  status: Readonly<Record<string, unknown>>,
): StatusApply {
  const metadata = { name, ...(namespace === undefined ? {} : { namespace }) };
  return { fieldManager, body: { apiVersion, kind, metadata, status } };
}

/** The conditions that stand in a status, whatever else somebody may have written. */
export function conditionsIn(status: unknown): readonly Condition[] {
  if (typeof status !== 'object' || status === null || !('conditions' in status)) return [];
  const { conditions } = status;
  if (!Array.isArray(conditions)) return [];
  return (conditions as unknown[]).filter(
    (condition): condition is Condition =>
      typeof condition === 'object' && condition !== null && 'type' in condition,
  );
}

/** Whether a condition that stands is as it is to be written, its time included. */
export function sameCondition(a: Condition, b: Condition): boolean {
  return (
    a.type === b.type &&
    a.status === b.status &&
    a.reason === b.reason &&
    a.message === b.message &&
    a.lastTransitionTime === b.lastTransitionTime &&
    // Older definitions of these resources have no such field, and drop it.
    (a.observedGeneration === undefined || a.observedGeneration === b.observedGeneration)
  );
}
