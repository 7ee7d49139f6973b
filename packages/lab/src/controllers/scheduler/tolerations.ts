/** Taints of nodes and what pods bear of them (concepts, "Taints and Tolerations"). Pure. */
import type { Taint, Toleration } from '../objects.ts';

export function tolerates(toleration: Toleration, taint: Taint): boolean {
  const { key = '', operator = 'Equal', value = '', effect = '' } = toleration;
  if (effect !== '' && effect !== taint.effect) return false;
  if (key === '') return operator === 'Exists';
  if (key !== taint.key) return false;
  return operator === 'Exists' || (operator === 'Equal' && value === (taint.value ?? ''));
}

/** The first taint of these effects that none of the tolerations covers. */
export function untolerated(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
  effects: readonly string[],
): Taint | undefined {
  return taints?.find(
    (taint) => effects.includes(taint.effect) && !tolerations?.some((each) => tolerates(each, taint)),
  );
}

/**
 * How long a pod may stay on a node with these taints, milliseconds: 0 if it has to go at once, undefined if it may stay for good.
 */
export function stayMs(
  taints: readonly Taint[] | undefined,
  tolerations: readonly Toleration[] | undefined,
): number | undefined {
  let stay: number | undefined;
  for (const taint of taints ?? []) {
    if (taint.effect !== 'NoExecute') continue;
    const bearing = (tolerations ?? []).filter((each) => tolerates(each, taint));
    if (bearing.length === 0) return 0;
    for (const { tolerationSeconds } of bearing)
      if (tolerationSeconds !== undefined)
        stay = Math.min(stay ?? Infinity, Math.max(0, tolerationSeconds * 1000));
  }
  return stay;
}
