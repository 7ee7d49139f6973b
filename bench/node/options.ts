import { knownNames, parseArguments, wholeNumber } from '../arguments.ts';

export const measureNames = ['capture', 'plugin', 'scale', 'dns', 'fairness', 'upgrade'] as const;
export type NodeMeasure = (typeof measureNames)[number];

export const usage = `usage: npm run bench -- node [options]
  --quick             short runs, and a fifth of the pods
  --only NAME[,NAME]  these measures only: ${measureNames.join(', ')}
  --pods N            pods on the node in the measure scale (default 500)
  --rounds N          rounds of what is compared, whose median is shown (default 3)
  --output DIRECTORY  where results go (default bench/results)`;

/** How much is done. */
export interface NodeEffort {
  /** Running pods whose namespace is labelled. */
  readonly runningPods: number;
  /** Pods on one node. */
  readonly manyPods: number;
  /** Calls of the plugin of each kind. */
  readonly pluginCalls: number;
  readonly idleSeconds: number;
  readonly rounds: number;
  /** Of one run of a load. */
  readonly seconds: number;
  readonly upgrades: number;
  /** Connections that are open over each upgrade. */
  readonly longConnections: number;
}

export interface NodeOptions {
  readonly only: readonly NodeMeasure[];
  readonly effort: NodeEffort;
  readonly output: string | undefined;
}

const full: NodeEffort = {
  runningPods: 100,
  manyPods: 500,
  pluginCalls: 100,
  idleSeconds: 20,
  rounds: 3,
  seconds: 6,
  upgrades: 5,
  longConnections: 40,
};
const quick: NodeEffort = {
  runningPods: 20,
  manyPods: 100,
  pluginCalls: 20,
  idleSeconds: 5,
  rounds: 1,
  seconds: 3,
  upgrades: 2,
  longConnections: 10,
};

/** @throws UsageError */
export function parseNodeOptions(argv: readonly string[]): NodeOptions {
  const values = parseArguments(argv, {
    quick: { type: 'boolean', default: false },
    only: { type: 'string' },
    pods: { type: 'string' },
    rounds: { type: 'string' },
    output: { type: 'string' },
  });
  const effort = values.quick ? quick : full;
  return {
    only: values.only === undefined ? measureNames : knownNames('only', values.only, measureNames),
    effort: {
      ...effort,
      ...(values.pods === undefined ? {} : { manyPods: wholeNumber('pods', values.pods) }),
      ...(values.rounds === undefined ? {} : { rounds: wholeNumber('rounds', values.rounds) }),
    },
    output: values.output,
  };
}
