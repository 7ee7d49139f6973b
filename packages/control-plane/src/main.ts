#!/usr/bin/env node
import { parseCommandLine } from './command-line.ts';

const command = parseCommandLine(process.argv.slice(2));
switch (command.kind) {
  case 'run': {
    const { runControlPlane } = await import('./run.ts');
    process.exit(await runControlPlane(command.overrides));
    break;
  }
  case 'revoke':
  case 'rotate-root': {
    const { settingsSource } = await import('./run.ts');
    const { runOperatorCommand } = await import('./operate/run-command.ts');
    process.exit(await runOperatorCommand(command, settingsSource(command.overrides)));
    break;
  }
  case 'help':
    process.stdout.write(command.text);
    break;
  case 'version': {
    const { version } = await import('./version.ts');
    process.stdout.write(`control-plane ${version} (Node.js ${process.version})\n`);
    break;
  }
  case 'wrong':
    process.stderr.write(`control-plane: ${command.problem}; see --help\n`);
    process.exitCode = 1;
    break;
}
