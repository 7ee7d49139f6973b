/** The benchmark of a node: npm run bench -- node. */
import { runParts } from '../report/run-parts.ts';
import { measureCapture } from './measures/capture.ts';
import { measureDns } from './measures/dns.ts';
import { measureFairness } from './measures/fairness.ts';
import { measurePlugin } from './measures/plugin.ts';
import { measureScale } from './measures/scale.ts';
import { measureUpgrade } from './measures/upgrade.ts';
import type { NodeEffort, NodeMeasure, NodeOptions } from './options.ts';
import { rowsOf } from './rows.ts';
import type { MeasureContext } from './samples.ts';

const measures: Record<NodeMeasure, (context: MeasureContext<NodeEffort>) => Promise<void>> = {
  capture: measureCapture,
  plugin: measurePlugin,
  scale: measureScale,
  dns: measureDns,
  fairness: measureFairness,
  upgrade: measureUpgrade,
};

/** @returns exit code: 0 if every target was reached */
export function runNodeBench({ only, effort, output }: NodeOptions): Promise<number> {
  return runParts({
    parts: only.map((name) => ({
      name,
      rows: rowsOf(name, effort),
      measure: ({ samples, directory, progress }) => {
        const add = (key: string, value: number): void => void (samples[key] ??= []).push(value);
        return measures[name]({ effort, directory, add, progress });
      },
    })),
    file: 'node',
    effort,
    chartTitle: 'One node',
    note: 'API server, pods, loads and the parts under measurement share the CPUs.',
    output,
  });
}
