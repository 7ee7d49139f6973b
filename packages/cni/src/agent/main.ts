#!/usr/bin/env node
import { loadCompiled, runCommonCommand } from '@ambient/runtime/entry';
import { parseCommandLine } from './command-line.ts';
import { version } from './version.ts';

const load = () => import('./run.ts');
const command = parseCommandLine(process.argv.slice(2));
if (command.kind === 'run') {
  const { runAgent } = await loadCompiled(load);
  process.exit(await runAgent(command.overrides));
}
await runCommonCommand(command, { name: 'install-cni', version, load });
