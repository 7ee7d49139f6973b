/**
 * `npm run fuzz`: runs every property test (its title holds `[fuzz]`) for longer than `npm test` does. The tests take
 * their time budget from `fuzzBudget()` in @ambient/testkit, which reads FUZZ_SECONDS.
 *
 * Options: --seconds N for each property (default 60), --grep PATTERN (further limits which).
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { runMocha } from './test/mocha-run.ts';

process.chdir(join(import.meta.dirname, '..'));
const { values } = parseArgs({
  options: { seconds: { type: 'string', default: '60' }, grep: { type: 'string', default: '' } },
});
const seconds = Number(values.seconds);
if (!Number.isFinite(seconds) || seconds <= 0) {
  console.error(`error: --seconds takes a positive number, not "${values.seconds}"`);
  process.exit(2);
}
const result = await runMocha({
  name: 'fuzz',
  spec: ['packages/*/src/**/*.test.ts'],
  // Both in one title, in either order.
  grep: `^(?=.*\\[fuzz\\])(?=.*(?:${values.grep}))`,
  lines: 'test',
  deadlineMs: 24 * 3_600_000,
  options: ['--timeout', String((seconds + 30) * 1000)],
  env: { ...process.env, FUZZ_SECONDS: String(seconds) },
});
for (const title of result.failures) console.log(`  ${title}`);
console.log(`${result.passed} passed, ${result.failures.length} failed`);
process.exitCode = result.failures.length > 0 ? 1 : 0;
