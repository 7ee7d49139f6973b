import type { Progress } from '../report/progress.ts';

/** What a measure has to work with. */
export interface MeasureContext<E> {
  readonly effort: E;
  /** Of this run; it is removed when the run ends. */
  readonly directory: string;
  readonly add: (key: string, value: number) => void;
  readonly progress: Progress;
}

/** The value that so large a part does not exceed. @param sorted the smallest first */
export function quantile(sorted: readonly number[], part: number): number {
  return sorted[Math.max(0, Math.ceil(sorted.length * part) - 1)] ?? Number.NaN;
}

export function ascending(values: readonly number[]): number[] {
  return [...values].sort((a, b) => a - b);
}
