import { parseArgs } from 'node:util';
import { UsageError } from '../options.ts';

export const measureNames = ['capture', 'plugin', 'scale', 'dns', 'fairness', 'upgrade'] as const;
export type NodeMeasure = (typeof measureNames)[number];

export const usage = `usage: npm run bench -- node [options]
  --quick             short runs, and a fifth of the pods
  --only NAME[,NAME]  these measures only: ${measureNames.join(', ')}
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
  let values;
  try {
    ({ values } = parseArgs({
      args: [...argv],
      options: {
        quick: { type: 'boolean', default: false },
        only: { type: 'string' },
        rounds: { type: 'string' },
        output: { type: 'string' },
      },
    }));
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
  const effort = values.quick ? quick : full;
  return {
    only: values.only === undefined ? measureNames : values.only.split(',').map(known),
    effort: values.rounds === undefined ? effort : { ...effort, rounds: whole(values.rounds) },
    output: values.output,
  };
}

function known(name: string): NodeMeasure {
  const measure = measureNames.find((each) => each === name);
  if (measure === undefined) throw new UsageError(`--only ${name}: there are ${measureNames.join(', ')}`);
  return measure;
}

function whole(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--rounds ${text}: give a whole number from 1 on`);
  return value;
}
