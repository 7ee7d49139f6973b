/**
 * `npm test`: checks, unit tests, tests of the control plane against the lab's API, and tests in network namespaces. The
 * last line is `N passed, N failed`, the exit code 1 if anything failed. A runner that crashes, hangs or finds nothing to
 * run has failed; tests that need kubectl are left out where there is none, and named at the end. Tests of up to three files
 * get a second attempt, since what has to do with sockets and processes is at the mercy of what else the machine does; those
 * that pass only then are named.
 *
 * Options: --only check|unit|lab|netns (may be repeated), --grep PATTERN (tests whose title matches; leaves out the checks).
 */
import { spawnSync } from 'node:child_process';
import { globSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { checks, runCheck } from './test/check.ts';
import { runMocha } from './test/mocha-run.ts';
import { toldOfKubectl, withoutKubectl } from './test/needs-kubectl.ts';
import type { StepResult } from './test/step.ts';

const stepNames = ['check', 'unit', 'lab', 'netns'] as const;
type StepName = (typeof stepNames)[number];

const unitTests = [
  'packages/*/src/**/*.test.ts',
  'scripts/**/*.test.ts',
  'bench/**/*.test.ts',
  'test/compat/**/*.test.ts',
];
const labTests = ['test/lab/**/*.test.ts'];
const netnsTests = ['test/netns/**/*.test.ts', 'test/hostile/**/*.test.ts', 'test/mesh/**/*.test.ts'];

interface Options {
  readonly only: ReadonlySet<StepName>;
  readonly grep: string | undefined;
}

function readOptions(args: readonly string[]): Options {
  const { values } = parseArgs({
    args: [...args],
    options: { only: { type: 'string', multiple: true }, grep: { type: 'string' } },
  });
  const only = (values.only ?? []).map((name) => {
    const known = stepNames.find((step) => step === name);
    if (known === undefined) throw new Error(`--only takes ${stepNames.join(', ')}, not "${name}"`);
    return known;
  });
  const all = values.grep === undefined ? stepNames : stepNames.filter((name) => name !== 'check');
  return { only: new Set(only.length > 0 ? only : all), grep: values.grep };
}

/** Tells why network namespaces cannot be made, or undefined if they can. */
function missingPrivilege(): string | undefined {
  const probe = spawnSync('unshare', ['--net', '--mount', 'true'], { encoding: 'utf8' });
  if (probe.status === 0) return undefined;
  const reason = (probe.stderr || String(probe.error ?? '')).trim();
  return `no privilege to make network namespaces (${reason}). Start the tests with npm test, which provides it.`;
}

async function runNetns(grep: string | undefined): Promise<StepResult> {
  const lack = missingPrivilege();
  if (lack !== undefined) {
    console.log(`  FAIL  ${lack}`);
    return { name: 'netns', passed: 0, failures: [`netns: ${lack}`] };
  }
  const run = { name: 'netns', spec: netnsTests, grep, lines: 'test', deadlineMs: 2_700_000 } as const;
  return runMocha({ ...run, options: ['--timeout', '60000'], again: true });
}

function runUnit(grep: string | undefined): Promise<StepResult> {
  const spec = unitTests.filter((pattern) => globSync(pattern).length > 0);
  const options = withoutKubectl(process.env['PATH'] ?? '');
  return runMocha({ name: 'unit', spec, grep, lines: 'suite', deadlineMs: 900_000, options, again: true });
}

/** Against the lab's API, whatever KUBECONFIG the caller has; `npm run test:cluster` takes a real one. */
function runLab(grep: string | undefined): Promise<StepResult> {
  const { KUBECONFIG: _, ...env } = process.env;
  const run = { name: 'lab', spec: labTests, grep, lines: 'suite', deadlineMs: 900_000 } as const;
  const options = ['--timeout', '60000', ...withoutKubectl(env['PATH'] ?? '')];
  return runMocha({ ...run, env, options, again: true });
}

async function runSteps({ only, grep }: Options): Promise<StepResult[]> {
  const results: StepResult[] = [];
  if (only.has('check')) {
    console.log('check');
    results.push(...(await Promise.all(checks.map(runCheck))));
  }
  if (only.has('unit')) {
    console.log('unit tests');
    results.push(await runUnit(grep));
  }
  if (only.has('lab')) {
    console.log('control plane and API');
    results.push(await runLab(grep));
  }
  if (only.has('netns') && globSync(netnsTests).length > 0) {
    console.log('tests in network namespaces');
    results.push(await runNetns(grep));
  }
  return results;
}

async function main(): Promise<void> {
  process.chdir(join(import.meta.dirname, '..'));
  const startedMs = Date.now();
  let passed = 0;
  let failures: string[] = [];
  let unsteady: string[] = [];
  let notRun: string | undefined;
  try {
    const results = await runSteps(readOptions(process.argv.slice(2)));
    passed = results.reduce((sum, result) => sum + result.passed, 0);
    failures = results.flatMap((result) => result.failures);
    unsteady = results.flatMap((result) => result.unsteady ?? []);
    if (results.some(({ name }) => name === 'unit' || name === 'lab'))
      notRun = toldOfKubectl(process.env['PATH'] ?? '');
  } catch (error) {
    failures.push(error instanceof Error ? error.message : String(error));
  }
  if (notRun !== undefined) console.log(`\n${notRun}`);
  if (unsteady.length > 0)
    console.log(
      `\nfailed at first, passed when run once more:\n${unsteady.map((title) => `  ${title}`).join('\n')}`,
    );
  if (failures.length > 0) console.log(`\nfailed:\n${failures.map((title) => `  ${title}`).join('\n')}`);
  console.log(`\n${Math.round((Date.now() - startedMs) / 1000)} s`);
  console.log(`${passed} passed, ${failures.length} failed`);
  process.exitCode = failures.length > 0 ? 1 : 0;
}

await main();
