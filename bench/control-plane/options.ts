import { parseArguments, wholeNumber } from '../arguments.ts';

export const usage = `usage: npm run bench -- control-plane [options]
  --quick             one start of each size, and short runs
  --pods N[,N]        sizes of the cluster (default 1000,10000,50000)
  --rounds N          starts of the control plane, whose median is shown (default 3)
  --output DIRECTORY  where results go (default bench/results)`;

export interface ControlPlaneOptions {
  readonly pods: readonly number[];
  readonly effort: Effort;
  readonly output: string | undefined;
}

/** How long things are looked at. */
export interface Effort {
  readonly rounds: number;
  /** Changes of one pod, one at a time. */
  readonly singleChanges: number;
  /** Of a hundred changes a second. */
  readonly sustainedSeconds: number;
  readonly idleSeconds: number;
  /** Of each of 500 accounts, within what the CA allows one caller at once. */
  readonly certificatesPerAccount: number;
}

const full: Effort = {
  rounds: 3,
  singleChanges: 100,
  sustainedSeconds: 60,
  idleSeconds: 30,
  certificatesPerAccount: 15,
};
const quick: Effort = {
  rounds: 1,
  singleChanges: 30,
  sustainedSeconds: 10,
  idleSeconds: 10,
  certificatesPerAccount: 6,
};
const sizes = [1000, 10_000, 50_000];

/** @throws UsageError */
export function parseControlPlaneOptions(argv: readonly string[]): ControlPlaneOptions {
  const values = parseArguments(argv, {
    quick: { type: 'boolean', default: false },
    pods: { type: 'string' },
    rounds: { type: 'string' },
    output: { type: 'string' },
  });
  const effort = values.quick ? quick : full;
  return {
    pods: values.pods === undefined ? sizes : values.pods.split(',').map((text) => wholeNumber('pods', text)),
    effort:
      values.rounds === undefined ? effort : { ...effort, rounds: wholeNumber('rounds', values.rounds) },
    output: values.output,
  };
}
