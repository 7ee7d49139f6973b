import { matchesLabelSelector } from '@ambient/kube';

import type { KubeObject, LabelSelector } from '../objects.ts';

export interface Claim<T> {
  /** Those of the owner, of which it selects every one. */
  readonly owned: readonly T[];
  /** Selected, and nobody's. */
  readonly adopt: readonly T[];
  /** The owner's, though it does not select them any more. */
  readonly release: readonly T[];
}

/** Whose an object is: the uid of its controlling owner. */
export function controllerOf({ metadata }: Pick<KubeObject, 'metadata'>): string | undefined {
  return metadata.ownerReferences?.find((each) => each.controller === true)?.uid;
}

/**
 * Which of the candidates belong to an owner. One that is being deleted adopts nothing; what is being deleted is neither adopted
 * nor released. An empty selector selects nothing.
 */
export function claim<T extends KubeObject>(
  owner: KubeObject,
  selector: LabelSelector | undefined,
  candidates: Iterable<T>,
): Claim<T> {
  const owned: T[] = [];
  const adopt: T[] = [];
  const release: T[] = [];
  const { uid, deletionTimestamp, namespace } = owner.metadata;
  const seen = new Set<string>();
  for (const each of candidates) {
    if (each.metadata.namespace !== namespace || seen.has(each.metadata.uid)) continue;
    seen.add(each.metadata.uid);
    const selected = selects(selector) && matchesLabelSelector(selector, each.metadata.labels);
    const controller = controllerOf(each);
    const ending = each.metadata.deletionTimestamp !== undefined;
    if (controller === uid) {
      if (selected || ending) owned.push(each);
      else release.push(each);
    } else if (controller === undefined && selected && !ending && deletionTimestamp === undefined)
      adopt.push(each);
  }
  return { owned, adopt, release };
}

function selects(selector: LabelSelector | undefined): selector is LabelSelector {
  if (selector === undefined) return false;
  return Object.keys(selector.matchLabels ?? {}).length > 0 || (selector.matchExpressions ?? []).length > 0;
}
