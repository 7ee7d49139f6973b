/**
 * `npm run test:cluster`: the tests of the control plane against the API server that KUBECONFIG names, which they get CRDs,
 * namespaces and objects into, and out again but for the CRDs. Options: --grep PATTERN. The last line is as `npm test` has it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import { runMocha } from './mocha-run.ts';

process.chdir(join(import.meta.dirname, '..', '..'));
const { values } = parseArgs({ options: { grep: { type: 'string' } } });
if ((process.env['KUBECONFIG'] ?? '') === '') {
  console.error('KUBECONFIG has to name the kubeconfig of an API server for tests: it is written to');
  process.exit(1);
}
const { passed, failures } = await runMocha({
  name: 'cluster',
  spec: ['test/lab/**/*.test.ts'],
  grep: values.grep,
  lines: 'test',
  deadlineMs: 900_000,
  options: ['--timeout', '60000'],
});
if (failures.length > 0) console.log(`\nfailed:\n${failures.map((title) => `  ${title}`).join('\n')}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
