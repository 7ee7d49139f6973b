import type { Progress } from '../report/progress.ts';
import type { Rig } from '../rig/rig.ts';

/** What a column has to reach in a row. */
export interface Target {
  /** `reference` compares with HAProxy's median of the same row, `value` with a number in the row's unit. */
  readonly kind: 'reference' | 'value';
  readonly bound: 'at least' | 'at most';
  readonly value: number;
}

/** One line of the table. */
export interface Row {
  readonly key: string;
  readonly label: string;
  readonly unit: string;
  /** Digits after the point. */
  readonly digits: number;
  readonly target?: Target;
}

/** For a row whose value may not be higher, in the row's unit. */
export const atMost = (value: number): Pick<Row, 'target'> => ({
  target: { kind: 'value', bound: 'at most', value },
});

/** For a row whose value may not be lower, in the row's unit. */
export const atLeast = (value: number): Pick<Row, 'target'> => ({
  target: { kind: 'value', bound: 'at least', value },
});

export interface Effort {
  /** Length of one run of a load. */
  readonly seconds: number;
  readonly warmSeconds: number;
  /** Length of the soak. */
  readonly soakMinutes: number;
  readonly progress: Progress;
}

/** Results by `Row.key`. A key may be missing where the column has no such thing, as the direct one has no hops. */
export type Values = Readonly<Record<string, number>>;

export interface Measure {
  readonly name: string;
  readonly rows: readonly Row[];
  /** Measured once, on a rig that was started for it and is stopped after it. */
  readonly fresh?: boolean;
  /** Says nothing about a column without proxies. */
  readonly needsHops?: boolean;
  /** Says nothing about HAProxy that anything is compared with: taken there only if no proxy is to be judged. */
  readonly judgedOnly?: boolean;
  /** Left out of a quick run unless named by `--only`. */
  readonly long?: boolean;
  /** Makes the connections, pools and compiled code that the measure is not about. */
  warm(rig: Rig, effort: Effort): Promise<void>;
  run(rig: Rig, effort: Effort): Promise<Values>;
}
