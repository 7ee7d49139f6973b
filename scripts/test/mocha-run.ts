import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join, relative } from 'node:path';
import type { TestRecord } from './reporter.ts';
import type { StepResult } from './step.ts';

const mocha = join(dirname(createRequire(import.meta.url).resolve('mocha/package.json')), 'bin', 'mocha.js');
const reporter = join(import.meta.dirname, 'reporter.ts');

/** How long a finished run may take to exit; beyond it a test has left a timer, a socket or a child behind. */
const exitGraceMs = 10_000;

export interface MochaRun {
  readonly name: string;
  /** Globs of test files. */
  readonly spec: readonly string[];
  /** Only tests whose full title matches this pattern. */
  readonly grep?: string | undefined;
  readonly lines: 'suite' | 'test';
  /** A run that takes longer is killed and counts as one more failure, milliseconds. */
  readonly deadlineMs: number;
  /** Further options of mocha. */
  readonly options?: readonly string[];
  readonly env?: NodeJS.ProcessEnv;
}

/** Reads the reporter's file; a last line that a crash cut short is no record. */
function readRecords(file: string): TestRecord[] {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch {
    return [];
  }
  return text
    .slice(0, text.lastIndexOf('\n') + 1)
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => JSON.parse(line) as TestRecord);
}

/** How the process of a run ended: by itself, or in a way that no test result explains (a signal, a kill, no start). */
export type RunExit =
  { readonly kind: 'exited'; readonly code: number } | { readonly kind: 'broken'; readonly reason: string };

/**
 * Counts the results of a run. Whatever keeps it from being a whole run is one more failure: no tests, a crash, a kill, an
 * exit code that the failures do not explain.
 */
export function countResults(name: string, records: readonly TestRecord[], exit: RunExit): StepResult {
  const passed = records.filter((record) => record.kind === 'pass').length;
  const failures = records.flatMap((record) => (record.kind === 'fail' ? [record.title] : []));
  const ended = records.some((record) => record.kind === 'end');
  if (exit.kind === 'broken') failures.push(`${name}: ${exit.reason}`);
  else if (!ended) failures.push(`${name}: the run broke off with exit code ${exit.code}`);
  else if (exit.code !== 0 && failures.length === 0)
    failures.push(`${name}: all tests passed, but the exit code is ${exit.code}`);
  else if (passed + failures.length === 0) failures.push(`${name}: no test was found`);
  return { name, passed, failures };
}

/** More files than these do not fail for the sake of a busy machine. */
const maxFilesAgain = 3;

/**
 * Runs mocha in a process of its own, with its progress on this terminal. Where `again` is set, the files of what failed
 * are run once more when all else has ended: tests of several processes and real time may lose a race on a machine that
 * is busy with something else. What passes then is told by name.
 */
export async function runMocha(run: MochaRun & { readonly again?: boolean }): Promise<StepResult> {
  const first = await runOnce(run);
  const files = first.exit.kind === 'broken' ? [] : filesToRunAgain(first.records);
  const result = countResults(run.name, first.records, first.exit);
  if (run.again !== true || files.length === 0) return result;
  console.log(`once more: ${files.map((file) => relative(process.cwd(), file)).join(', ')}`);
  const second = await runOnce({ ...run, spec: files });
  return mergeAttempts(run.name, first.records, files, countResults(run.name, second.records, second.exit));
}

/** The files with failures; none if there are too many, if it is not known where one comes from, or if the run broke off. */
export function filesToRunAgain(records: readonly TestRecord[]): readonly string[] {
  if (!records.some((record) => record.kind === 'end')) return [];
  const files = new Set(records.flatMap((record) => (record.kind === 'fail' ? [record.file] : [])));
  return files.size > maxFilesAgain || files.has('') ? [] : [...files];
}

/** What both attempts came to: of the files that were run again, the second one counts. */
export function mergeAttempts(
  name: string,
  first: readonly TestRecord[],
  again: readonly string[],
  second: StepResult,
): StepResult {
  const elsewhere = first.filter((record) => record.kind === 'pass' && !again.includes(record.file)).length;
  const failedFirst = first.flatMap((record) => (record.kind === 'fail' ? [record.title] : []));
  return {
    name,
    passed: elsewhere + second.passed,
    failures: second.failures,
    unsteady: failedFirst.filter((title) => !second.failures.includes(title)),
  };
}

interface Attempt {
  readonly records: readonly TestRecord[];
  readonly exit: RunExit;
}

function runOnce(run: MochaRun): Promise<Attempt> {
  const folder = mkdtempSync(join(tmpdir(), 'ambient-test-'));
  const results = join(folder, 'results.jsonl');
  const grep = run.grep === undefined ? [] : ['--grep', run.grep];
  const options = ['--forbid-only', '--forbid-pending', ...grep];
  const report = ['--reporter', reporter, '--reporter-option', `results=${results},lines=${run.lines}`];
  return new Promise((resolve) => {
    let killedFor: string | undefined;
    let endedAtMs: number | undefined;
    const startedMs = Date.now();
    const child = spawn(
      process.execPath,
      [mocha, ...options, ...(run.options ?? []), ...report, ...run.spec],
      {
        stdio: ['ignore', 'inherit', 'inherit'],
        env: run.env ?? process.env,
      },
    );
    const watch = setInterval(() => {
      if (readRecords(results).at(-1)?.kind === 'end') endedAtMs ??= Date.now();
      if (endedAtMs !== undefined && Date.now() - endedAtMs > exitGraceMs)
        killedFor = 'the process did not exit: a test left a timer, a socket or a child behind';
      else if (Date.now() - startedMs > run.deadlineMs)
        killedFor = `the run took longer than ${run.deadlineMs / 1000} s`;
      if (killedFor !== undefined) child.kill('SIGKILL');
    }, 1000);
    const finish = (exit: RunExit): void => {
      clearInterval(watch);
      const records = readRecords(results);
      rmSync(folder, { recursive: true, force: true });
      resolve({ records, exit });
    };
    child.once('error', (error) => {
      finish({ kind: 'broken', reason: error.message });
    });
    child.once('close', (code, signal) => {
      const reason = killedFor ?? (signal === null ? undefined : `the run was killed by ${signal}`);
      finish(reason === undefined ? { kind: 'exited', code: code ?? 1 } : { kind: 'broken', reason });
    });
  });
}
