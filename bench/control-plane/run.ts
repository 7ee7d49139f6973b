/** The benchmark of the control plane: npm run bench -- control-plane. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { machineFacts } from '../report/machine.ts';
import { renderTable } from '../report/table.ts';
import { judge } from '../report/verdict.ts';
import type { ResultRow } from '../report/verdict.ts';
import { measureCluster } from './measure-cluster.ts';
import type { Samples } from './measure-cluster.ts';
import type { ControlPlaneOptions } from './options.ts';
import { rowsOf } from './rows.ts';

const column = 'ours';

/** @returns exit code: 0 if every target was reached */
export async function runControlPlaneBench({ pods, effort, output }: ControlPlaneOptions): Promise<number> {
  const started = performance.now();
  const progress = (text: string): void => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(5);
    process.stderr.write(`${seconds} s  ${text}\n`);
  };
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const rows: ResultRow[] = [];
  const failures: { readonly pods: number; readonly error: string }[] = [];
  try {
    for (const size of pods) {
      const samples: Samples = {};
      try {
        await measureCluster(size, directory, effort, samples, progress);
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        failures.push({ pods: size, error: text });
        progress(`${size} pods FAILED: ${text}`);
      }
      for (const row of rowsOf(size)) {
        const named = { ...row, label: `${size} pods: ${row.label}` };
        rows.push(judge(`${size} pods`, named, { [column]: samples[row.key] ?? [] }));
      }
    }
  } finally {
    rmSync(directory, { recursive: true });
  }
  const machine = machineFacts();
  const folder = output ?? fileURLToPath(new URL('../results', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const record = { date: new Date().toISOString(), machine, effort, rows, failures };
  writeFileSync(join(folder, 'control-plane.json'), `${JSON.stringify(record, undefined, 2)}\n`);
  console.log(renderTable(rows, [column]));
  console.log('');
  console.log(
    'API server, clients and control plane share the CPUs; a figure of CPU is the control plane alone.',
  );
  console.log(`${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, Node ${machine.node}`);
  for (const { pods: size, error } of failures) console.log(`not measured: ${size} pods: ${error}`);
  const missed = rows.some(({ cells }) => cells[column]?.passed === false);
  return missed || failures.length > 0 ? 1 : 0;
}
