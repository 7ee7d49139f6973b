/**
 * `npm run test:cluster`: tests on the cluster that KUBECONFIG names, which has to be one for tests: they write to it.
 *
 * --only mesh|api  mesh: the charts are installed, and the whole mesh is tried (test/cluster; docs/install.md says what the
 *                  cluster needs). api: the control plane's own tests, against that API server instead of the lab's; an API
 *                  server without nodes will do. Default: both
 * --grep PATTERN   only tests whose title matches; those of the mesh build on one another
 *
 * HELM and KUBECTL name the programs, IMAGE_HUB, IMAGE_TAG and IMAGE_PULL_POLICY (Never) the images. The last line is as
 * `npm test` has it.
 */
import { join } from 'node:path';
import { parseArgs } from 'node:util';

import type { MochaRun } from './mocha-run.ts';
import { runMocha } from './mocha-run.ts';

type Kind = 'mesh' | 'api';

const runs: Readonly<Record<Kind, Pick<MochaRun, 'spec' | 'deadlineMs'>>> = {
  mesh: { spec: ['test/cluster/**/*.test.ts'], deadlineMs: 1_200_000 },
  api: { spec: ['test/lab/**/*.test.ts'], deadlineMs: 900_000 },
};

process.chdir(join(import.meta.dirname, '..', '..'));
const { values } = parseArgs({
  options: { grep: { type: 'string' }, only: { type: 'string', multiple: true } },
});
if ((process.env['KUBECONFIG'] ?? '') === '') {
  console.error('KUBECONFIG has to name the kubeconfig of a cluster for tests: it is written to');
  process.exit(1);
}
const chosen = values.only ?? Object.keys(runs);
const unknown = chosen.find((kind) => !Object.hasOwn(runs, kind));
if (unknown !== undefined) {
  console.error(`--only ${unknown}: one of ${Object.keys(runs).join(', ')}`);
  process.exit(1);
}
let passed = 0;
const failures: string[] = [];
for (const kind of chosen as Kind[]) {
  const result = await runMocha({
    name: kind,
    ...runs[kind],
    grep: values.grep,
    lines: 'test',
    options: ['--timeout', '60000'],
  });
  passed += result.passed;
  failures.push(...result.failures);
}
if (failures.length > 0) console.log(`\nfailed:\n${failures.map((title) => `  ${title}`).join('\n')}`);
console.log(`\n${passed} passed, ${failures.length} failed`);
process.exitCode = failures.length > 0 ? 1 : 0;
