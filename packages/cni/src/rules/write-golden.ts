/** Writes `golden/` anew: `node packages/cni/src/rules/write-golden.ts`, and then read the difference. */
import { mkdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { goldenFiles } from './golden-cases.ts';

const directory = join(import.meta.dirname, 'golden');
rmSync(directory, { recursive: true, force: true });
mkdirSync(directory);
for (const [name, content] of goldenFiles()) writeFileSync(join(directory, name), content);
