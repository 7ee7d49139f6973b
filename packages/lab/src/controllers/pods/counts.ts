import type { IntOrPercent } from '../objects.ts';

/** A number of pods out of so many; undefined for what is neither a number nor a share. */
export function countOf(
  value: IntOrPercent | undefined,
  total: number,
  round: 'up' | 'down',
): number | undefined {
  if (typeof value === 'number') return Math.max(0, Math.trunc(value));
  const share = /^(\d+)%$/.exec(value ?? '')?.[1];
  if (share === undefined) return undefined;
  const exact = (Number(share) * total) / 100;
  return round === 'up' ? Math.ceil(exact) : Math.floor(exact);
}

/**
 * How many pods a rolling update may have above, and below, what is wanted. Never both 0, or it would not move.
 */
export function rollingLimits(
  strategy: { readonly maxSurge?: IntOrPercent; readonly maxUnavailable?: IntOrPercent } | undefined,
  total: number,
  defaults: { readonly maxSurge: IntOrPercent; readonly maxUnavailable: IntOrPercent },
): { readonly maxSurge: number; readonly maxUnavailable: number } {
  const maxSurge = countOf(strategy?.maxSurge ?? defaults.maxSurge, total, 'up') ?? 0;
  const maxUnavailable = countOf(strategy?.maxUnavailable ?? defaults.maxUnavailable, total, 'down') ?? 0;
  return { maxSurge, maxUnavailable: maxSurge === 0 && maxUnavailable === 0 ? 1 : maxUnavailable };
}
