#!/usr/bin/env node
import { loadCompiled, runCommonCommand } from '@ambient/runtime/entry';
import { parseCommandLine } from './command-line.ts';
import { version } from './version.ts';

const load = () => import('./run.ts');
const command = parseCommandLine(process.argv.slice(2));
switch (command.kind) {
  case 'run': {
    const { runControlPlane } = await loadCompiled(load);
    process.exit(await runControlPlane(command.overrides));
    break;
  }
  case 'revoke':
  case 'rotate-root': {
    const { runOperatorCommand } = await import('./operate/run-command.ts');
    process.exit(await runOperatorCommand(command));
    break;
  }
  default:
    await runCommonCommand(command, { name: 'control-plane', version, load });
}
