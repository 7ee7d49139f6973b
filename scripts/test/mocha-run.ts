import { spawn } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
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

/** Runs mocha in a process of its own, with its progress on this terminal. */
export function runMocha(run: MochaRun): Promise<StepResult> {
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
      const result = countResults(run.name, readRecords(results), exit);
      rmSync(folder, { recursive: true, force: true });
      resolve(result);
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
