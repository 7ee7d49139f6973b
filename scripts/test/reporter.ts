/**
 * Mocha reporter that shows progress as it happens and records each result at once, so that the count survives a crash
 * of the run. Records are JSON lines in the file that the option `results` names; a run that ended writes `end` last.
 *
 * With the option `lines=test` it prints a line for each test, otherwise one for each top-level suite.
 */
import { closeSync, openSync, writeSync } from 'node:fs';
import Mocha from 'mocha';

/** A line of the results file. Absent `end`: the run did not come to its end. */
export type TestRecord =
  | { readonly kind: 'pass'; readonly title: string; readonly file: string }
  | { readonly kind: 'fail'; readonly title: string; readonly file: string; readonly message: string }
  | { readonly kind: 'end' };

interface SuiteCount {
  passed: number;
  failed: number;
  startedMs: number;
}

const { Base } = Mocha.reporters;

/** Lines and characters of a message that are shown at once. */
const shownLines = 12;
const shownCharacters = 2000;

function indented(message: string): string {
  const lines = message.slice(0, shownCharacters).split('\n').slice(0, shownLines);
  return lines.map((line) => `          ${line}`).join('\n');
}

/** A hook has the file of the suite that it belongs to. */
function fileOf(runnable: Mocha.Test | Mocha.Hook): string {
  for (let suite = runnable.parent; suite !== undefined; suite = suite.parent)
    if (suite.file !== undefined) return suite.file;
  return runnable.file ?? '';
}

export default class ProgressReporter extends Base {
  readonly #results: number;
  readonly #linePerTest: boolean;
  #suite: SuiteCount = { passed: 0, failed: 0, startedMs: Date.now() };

  constructor(runner: Mocha.Runner, options: Mocha.MochaOptions) {
    super(runner, options);
    const given = (options.reporterOptions ?? {}) as Readonly<Record<string, unknown>>;
    const { results, lines } = given;
    if (typeof results !== 'string') throw new Error('the reporter needs --reporter-option results=FILE');
    this.#results = openSync(results, 'w');
    this.#linePerTest = lines === 'test';

    runner.on('suite', (suite) => {
      if (suite.parent?.root === true) this.#suite = { passed: 0, failed: 0, startedMs: Date.now() };
    });
    runner.on('suite end', (suite) => {
      if (suite.parent?.root === true) this.#suiteEnded(suite);
    });
    runner.on('pass', (test) => {
      this.#suite.passed += 1;
      this.#record({ kind: 'pass', title: test.fullTitle(), file: fileOf(test) });
      if (this.#linePerTest) console.log(`  ok    ${test.fullTitle()} (${test.duration ?? 0} ms)`);
    });
    runner.on('fail', (test, error: Error) => {
      this.#suite.failed += 1;
      this.#record({ kind: 'fail', title: test.fullTitle(), file: fileOf(test), message: error.message });
      // The whole of it comes at the end of the run; of a long run whose output is cut short, this is what is left.
      console.log(`  FAIL  ${test.fullTitle()}\n${indented(error.message)}`);
    });
    // Reached only if --forbid-pending is off: a test that did not run did not pass.
    runner.on('pending', (test) => {
      this.#suite.failed += 1;
      this.#record({ kind: 'fail', title: test.fullTitle(), file: fileOf(test), message: 'skipped' });
      console.log(`  FAIL  ${test.fullTitle()} (skipped)`);
    });
    runner.once('end', () => {
      if (this.failures.length > 0) Base.list(this.failures);
      this.#record({ kind: 'end' });
      closeSync(this.#results);
    });
  }

  #suiteEnded(suite: Mocha.Suite): void {
    const { passed, failed, startedMs } = this.#suite;
    if (this.#linePerTest || passed + failed === 0) return;
    const mark = failed === 0 ? 'ok  ' : 'FAIL';
    const failures = failed === 0 ? '' : `, ${failed} failed`;
    console.log(`  ${mark}  ${suite.title}: ${passed} passed${failures} (${Date.now() - startedMs} ms)`);
  }

  #record(record: TestRecord): void {
    writeSync(this.#results, JSON.stringify(record) + '\n');
  }
}
