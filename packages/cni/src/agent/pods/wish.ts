import type { Namespace, Pod } from '@ambient/kube';
import type { EnrolmentSettings, NotEnrolledReason } from '../../eligibility.ts';
import { decideEnrolment } from '../../eligibility.ts';
import type { AnnotationProblem, CaptureDefaults, PodCapture } from '../../rules/pod-capture.ts';
import { podCapture } from '../../rules/pod-capture.ts';

/** What the mesh wants of a pod. */
export type PodWish =
  | {
      readonly kind: 'capture';
      readonly capture: PodCapture;
      readonly problems: readonly AnnotationProblem[];
    }
  /** Not for the mesh; `refused`: somebody wants it to be, and it cannot. */
  | { readonly kind: 'leave'; readonly reason: LeaveReason; readonly refused: boolean }
  /** Deleted or ended. */
  | { readonly kind: 'gone' }
  /** Nothing is to change before more is known. */
  | { readonly kind: 'wait'; readonly reason: 'no-address' | 'terminating' | 'namespace-unknown' };

export type LeaveReason = NotEnrolledReason | 'ztunnel' | 'ambient-disabled';

export interface WishSettings extends EnrolmentSettings {
  /** AMBIENT_ENABLED. */
  readonly enabled: boolean;
  /** Where ztunnel runs: its own pods are not captured. */
  readonly systemNamespace: string;
  readonly capture: CaptureDefaults;
}

/**
 * What is to become of a pod by what the API server says of it.
 * @param captured a pod that is captured already keeps its capture while it terminates
 */
export function podWish(
  pod: Pod | undefined,
  namespace: Namespace | undefined,
  settings: WishSettings,
  captured: boolean,
): PodWish {
  if (pod === undefined || hasEnded(pod)) return { kind: 'gone' };
  const { metadata, spec, status } = pod;
  const leave = (reason: LeaveReason, refused = false): PodWish => ({ kind: 'leave', reason, refused });
  if (!settings.enabled) return leave('ambient-disabled');
  if (isZtunnel(pod, settings.systemNamespace)) return leave('ztunnel');
  const facts = {
    namespace: metadata.namespace ?? '',
    namespaceLabels: namespace?.metadata.labels,
    podLabels: metadata.labels,
    podAnnotations: metadata.annotations,
    hostNetwork: false,
  };
  if (namespace === undefined && !settings.excludedNamespaces.includes(facts.namespace))
    return { kind: 'wait', reason: 'namespace-unknown' };
  const enrolment = decideEnrolment(facts, settings);
  if (!enrolment.enrolled) return leave(enrolment.reason);
  if (spec?.hostNetwork === true) return leave('host-network', true);
  if (!captured && metadata.deletionTimestamp !== undefined) return { kind: 'wait', reason: 'terminating' };
  if (!captured && addressesOf(pod).length === 0 && status?.phase !== 'Running')
    return { kind: 'wait', reason: 'no-address' };
  return { kind: 'capture', ...podCapture(metadata.annotations, settings.capture) };
}

/** Its containers have run, and will not again. */
export function hasEnded({ status }: Pod): boolean {
  return status?.phase === 'Succeeded' || status?.phase === 'Failed';
}

export function isZtunnel({ metadata }: Pod, systemNamespace: string): boolean {
  return metadata.namespace === systemNamespace && metadata.labels?.['app'] === 'ztunnel';
}

/** The pod's addresses, of both families. */
export function addressesOf({ status }: Pod): readonly string[] {
  const all = (status?.podIPs ?? []).map(({ ip }) => ip ?? '').filter((ip) => ip !== '');
  const first = status?.podIP ?? '';
  return all.length > 0 || first === '' ? all : [first];
}

/** Condition of a pod: whether it is proven that its traffic reaches ztunnel. */
export const CAPTURED_CONDITION = 'ambient.istio.io/Captured';
export const REDIRECTION_ANNOTATION = 'ambient.istio.io/redirection';
/** Value of the annotation; null: there is none. */
export type Redirection = 'enabled' | 'pending' | null;

export function redirectionOf({ metadata }: Pod): string | null {
  return metadata.annotations?.[REDIRECTION_ANNOTATION] ?? null;
}
