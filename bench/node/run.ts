/** The benchmark of a node: npm run bench -- node. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { renderChart } from '../report/chart.ts';
import { machineFacts } from '../report/machine.ts';
import { renderTable } from '../report/table.ts';
import { judge } from '../report/verdict.ts';
import type { ResultRow } from '../report/verdict.ts';
import { measureCapture } from './measures/capture.ts';
import { measureDns } from './measures/dns.ts';
import { measureFairness } from './measures/fairness.ts';
import { measurePlugin } from './measures/plugin.ts';
import { measureScale } from './measures/scale.ts';
import { measureUpgrade } from './measures/upgrade.ts';
import type { NodeEffort, NodeMeasure, NodeOptions } from './options.ts';
import { rowsOf } from './rows.ts';
import type { MeasureContext, Samples } from './samples.ts';

const column = 'ours';

const measures: Record<NodeMeasure, (context: MeasureContext<NodeEffort>) => Promise<void>> = {
  capture: measureCapture,
  plugin: measurePlugin,
  scale: measureScale,
  dns: measureDns,
  fairness: measureFairness,
  upgrade: measureUpgrade,
};

/** @returns exit code: 0 if every target was reached */
export async function runNodeBench({ only, effort, output }: NodeOptions): Promise<number> {
  const started = performance.now();
  const progress = (text: string): void => {
    const seconds = ((performance.now() - started) / 1000).toFixed(0).padStart(5);
    process.stderr.write(`${seconds} s  ${text}\n`);
  };
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const rows: ResultRow[] = [];
  const failures: { readonly measure: string; readonly error: string }[] = [];
  try {
    for (const measure of only) {
      const samples: Samples = {};
      const add = (key: string, value: number): void => void (samples[key] ??= []).push(value);
      const own = join(directory, measure);
      mkdirSync(own);
      progress(measure);
      try {
        await measures[measure]({ effort, directory: own, add, progress });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        failures.push({ measure, error: text });
        progress(`${measure} FAILED: ${text}`);
      }
      for (const row of rowsOf(measure, effort))
        rows.push(judge(measure, row, { [column]: samples[row.key] ?? [] }));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  const machine = machineFacts();
  const folder = output ?? fileURLToPath(new URL('../results', import.meta.url));
  mkdirSync(folder, { recursive: true });
  const record = { date: new Date().toISOString(), machine, effort, rows, failures };
  writeFileSync(join(folder, 'node.json'), `${JSON.stringify(record, undefined, 2)}\n`);
  const subtitle = `${machine.cpus} CPUs, Linux ${machine.kernel.split('-')[0]!}, Node ${machine.node}`;
  writeFileSync(join(folder, 'node.svg'), renderChart(rows, [column], subtitle, 'One node'));
  console.log(renderTable(rows, [column]));
  console.log('');
  console.log('API server, pods, loads and the parts under measurement share the CPUs.');
  console.log(`${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, Node ${machine.node}`);
  for (const { measure, error } of failures) console.log(`not measured: ${measure}: ${error}`);
  const missed = rows.some(({ cells }) => cells[column]?.passed === false);
  return missed || failures.length > 0 ? 1 : 0;
}
