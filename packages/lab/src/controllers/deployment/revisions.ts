/** The ReplicaSets of a Deployment as its revisions. Pure. */
import type { Deployment, ReplicaSet } from '../objects.ts';
import { sameTemplate } from '../pods/pod-template.ts';
import { byAge } from '../pods/pod-state.ts';

export const templateHashLabel = 'pod-template-hash';
export const revisionAnnotation = 'deployment.kubernetes.io/revision';
const historyAnnotation = 'deployment.kubernetes.io/revision-history';
export const desiredAnnotation = 'deployment.kubernetes.io/desired-replicas';
export const mostAnnotation = 'deployment.kubernetes.io/max-replicas';

const notCopied = new Set([
  'kubectl.kubernetes.io/last-applied-configuration',
  revisionAnnotation,
  historyAnnotation,
  desiredAnnotation,
  mostAnnotation,
]);

export interface Revisions {
  /** That of the Deployment's template, if there is one. */
  readonly current: ReplicaSet | undefined;
  /** All others, oldest first. */
  readonly old: readonly ReplicaSet[];
  /** What the revision of the current one is to be. */
  readonly revision: number;
}

export function revisionOf({ metadata }: Deployment | ReplicaSet): number {
  const revision = Number(metadata.annotations?.[revisionAnnotation] ?? 0);
  return Number.isInteger(revision) ? revision : 0;
}

/** A template that comes back (a rollback) makes its set the newest revision. */
export function revisionsOf(deployment: Deployment, sets: readonly ReplicaSet[]): Revisions {
  const ordered = sets.toSorted(byAge);
  const current = ordered.find((set) =>
    sameTemplate(set.spec?.template, deployment.spec?.template, templateHashLabel),
  );
  const old = ordered.filter((set) => set !== current);
  return { current, old, revision: Math.max(0, ...old.map(revisionOf)) + 1 };
}

/**
 * The annotations of the current set: those of the Deployment, its revision, and what the sizes of all were reckoned from.
 *
 * @param most how many pods there may be at once
 */
export function annotationsOf(
  deployment: Deployment,
  set: ReplicaSet | undefined,
  revision: number,
  most: number,
): Record<string, string> {
  const before = set?.metadata.annotations ?? {};
  const copied = Object.entries(deployment.metadata.annotations ?? {}).filter(([key]) => !notCopied.has(key));
  const known = set === undefined ? 0 : revisionOf(set);
  const newest = Math.max(known, revision);
  const history = before[historyAnnotation] ?? '';
  return {
    ...before,
    ...Object.fromEntries(copied),
    ...sizeAnnotations(deployment, most),
    [revisionAnnotation]: String(newest),
    ...(newest > known && known > 0
      ? { [historyAnnotation]: [...history.split(',').filter((each) => each !== ''), known].join(',') }
      : {}),
  };
}

export function sizeAnnotations(deployment: Deployment, most: number): Record<string, string> {
  return {
    [desiredAnnotation]: String(deployment.spec?.replicas ?? 1),
    [mostAnnotation]: String(most),
  };
}
