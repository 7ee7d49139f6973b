#!/usr/bin/env node
import { parseCommandLine, helpText } from './command-line.ts';

const command = parseCommandLine(process.argv.slice(2));
switch (command.kind) {
  case 'run': {
    const { runAgent } = await import('./run.ts');
    process.exit(await runAgent());
    break;
  }
  case 'help':
    process.stdout.write(helpText);
    break;
  case 'version': {
    const { version } = await import('./version.ts');
    process.stdout.write(`install-cni ${version} (Node.js ${process.version})\n`);
    break;
  }
  case 'wrong':
    process.stderr.write(`install-cni: ${command.problem}; see --help\n`);
    process.exitCode = 1;
    break;
}
