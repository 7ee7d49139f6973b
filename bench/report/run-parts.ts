import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Row } from '../measures/measure.ts';
import { renderChart } from './chart.ts';
import { machineFacts } from './machine.ts';
import { startProgress } from './progress.ts';
import type { Progress } from './progress.ts';
import { renderTable } from './table.ts';
import { judge } from './verdict.ts';
import type { ResultRow } from './verdict.ts';

/** Where results go unless somebody says otherwise. */
export const resultsFolder = fileURLToPath(new URL('../results', import.meta.url));

/** What was measured, by the key of its row: one value a round. */
export type Samples = Record<string, number[]>;

export interface PartContext {
  /** Where figures go: those from before a failure stand. */
  readonly samples: Samples;
  /** For files of this part; it is removed when the run ends. */
  readonly directory: string;
  readonly progress: Progress;
}

/** Something that is measured by itself: if it fails, the others go on. */
export interface Part {
  readonly name: string;
  readonly rows: readonly Row[];
  measure(context: PartContext): Promise<void>;
}

/** A benchmark of one column: our own. */
export interface PartsRun {
  readonly parts: readonly Part[];
  /** Of the files with the results, without their endings. */
  readonly file: string;
  /** As it is recorded beside the results. */
  readonly effort: object;
  /** Above the picture; without it none is drawn. */
  readonly chartTitle?: string;
  /** Stands below the table. */
  readonly note: string;
  /** Where results go; default the folder of the tree. */
  readonly output: string | undefined;
}

/** The person who has started the run. */
export interface Reader {
  readonly print: (line: string) => void;
  readonly progress: Progress;
}

interface Failure {
  readonly measure: string;
  readonly error: string;
}

const column = 'ours';

/**
 * Measures the parts one after the other, prints the table, and keeps the results as files.
 *
 * @returns exit code: 0 if every target was reached
 */
export async function runParts(
  run: PartsRun,
  { print, progress }: Reader = { print: (line) => console.log(line), progress: startProgress() },
): Promise<number> {
  const { rows, failures } = await measureParts(run.parts, progress);
  const machine = machineFacts();
  const folder = run.output ?? resultsFolder;
  mkdirSync(folder, { recursive: true });
  const record = { date: new Date().toISOString(), machine, effort: run.effort, rows, failures };
  writeFileSync(join(folder, `${run.file}.json`), `${JSON.stringify(record, undefined, 2)}\n`);
  if (run.chartTitle !== undefined) {
    const subtitle = `${machine.cpus} CPUs, Linux ${machine.kernel.split('-')[0]!}, Node ${machine.node}`;
    writeFileSync(join(folder, `${run.file}.svg`), renderChart(rows, [column], subtitle, run.chartTitle));
  }
  print(renderTable(rows, [column]));
  print('');
  print(run.note);
  print(`${machine.cpu}, ${machine.cpus} CPUs, Linux ${machine.kernel}, Node ${machine.node}`);
  for (const { measure, error } of failures) print(`not measured: ${measure}: ${error}`);
  const missed = rows.some(({ cells }) => cells[column]?.passed === false);
  return missed || failures.length > 0 ? 1 : 0;
}

async function measureParts(
  parts: readonly Part[],
  progress: Progress,
): Promise<{ readonly rows: readonly ResultRow[]; readonly failures: readonly Failure[] }> {
  const directory = mkdtempSync(join(tmpdir(), 'bench-'));
  const rows: ResultRow[] = [];
  const failures: Failure[] = [];
  try {
    for (const [index, part] of parts.entries()) {
      const samples: Samples = {};
      const own = join(directory, String(index));
      mkdirSync(own);
      progress(part.name);
      try {
        await part.measure({ samples, directory: own, progress });
      } catch (error) {
        const text = error instanceof Error ? error.message : String(error);
        failures.push({ measure: part.name, error: text });
        progress(`${part.name} FAILED: ${text}`);
      }
      for (const row of part.rows) rows.push(judge(part.name, row, { [column]: samples[row.key] ?? [] }));
    }
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
  return { rows, failures };
}
