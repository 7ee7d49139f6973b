/** The benchmark of the control plane: npm run bench -- control-plane. */
import { runParts } from '../report/run-parts.ts';
import { measureCluster } from './measure-cluster.ts';
import type { ControlPlaneOptions } from './options.ts';
import { rowsOf } from './rows.ts';

/** @returns exit code: 0 if every target was reached */
export function runControlPlaneBench({ pods, effort, output }: ControlPlaneOptions): Promise<number> {
  return runParts({
    parts: pods.map((size) => ({
      name: `${size} pods`,
      rows: rowsOf(size).map((row) => ({ ...row, label: `${size} pods: ${row.label}` })),
      measure: ({ samples, directory, progress }) =>
        measureCluster(size, directory, effort, samples, progress),
    })),
    file: 'control-plane',
    effort,
    note: 'API server, clients and control plane share the CPUs; a figure of CPU is the control plane alone.',
    output,
  });
}
