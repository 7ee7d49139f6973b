import type { Row, Target } from '../measures/measure.ts';

/** Name of the column that ratios are to, and of the one that has nothing to prove. */
export const REFERENCE = 'haproxy';
const UNJUDGED = new Set(['direct', REFERENCE]);

/** Whether a column has targets to reach. */
export function isJudged(column: string): boolean {
  return !UNJUDGED.has(column);
}

/** One cell of the table: the median, and how it stands. */
export interface Cell {
  readonly median: number;
  /** Over HAProxy's median of the row. */
  readonly ratio: number | undefined;
  /** undefined: nothing to reach, or nothing to compare with. */
  readonly passed: boolean | undefined;
}

export interface ResultRow extends Row {
  readonly measure: string;
  /** Every round's value, by column. */
  readonly samples: Readonly<Record<string, readonly number[]>>;
  readonly cells: Readonly<Record<string, Cell>>;
}

/** The middle value; of an even number of values the mean of the middle two. Of none NaN. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const middle = Math.floor(sorted.length / 2);
  if (sorted.length % 2 === 1) return sorted[middle]!;
  return (sorted[middle - 1]! + sorted[middle]!) / 2;
}

/** Judges one row. */
export function judge(measure: string, row: Row, samples: ResultRow['samples']): ResultRow {
  const reference = samples[REFERENCE];
  const base = reference === undefined || reference.length === 0 ? undefined : median(reference);
  const cells = Object.entries(samples)
    .filter(([, values]) => values.length > 0)
    .map(([column, values]): [string, Cell] => {
      const middle = median(values);
      const ratio = base === undefined || base === 0 ? undefined : middle / base;
      const passed = isJudged(column) ? reached(row.target, middle, ratio) : undefined;
      return [column, { median: middle, ratio, passed }];
    });
  return { ...row, measure, samples, cells: Object.fromEntries(cells) };
}

/** The target in words, as `>= 1.8 x HAProxy`; empty if there is none. */
export function targetText({ target, unit }: Row): string {
  if (target === undefined) return '';
  const sign = target.bound === 'at least' ? '>=' : '<=';
  if (target.kind === 'reference') return `${sign} ${target.value} x HAProxy`;
  return `${sign} ${target.value}${unit === '' ? '' : ` ${unit}`}`;
}

function reached(target: Target | undefined, value: number, ratio: number | undefined): boolean | undefined {
  if (target === undefined) return undefined;
  const measured = target.kind === 'reference' ? ratio : value;
  if (measured === undefined) return undefined;
  return target.bound === 'at least' ? measured >= target.value : measured <= target.value;
}
