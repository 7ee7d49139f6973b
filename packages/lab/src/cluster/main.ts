#!/usr/bin/env node
import { enableCompileCache } from 'node:module';
import { compileCache } from '@ambient/runtime/entry';

import { helpText, parseLabCommand } from './command-line.ts';

enableCompileCache(compileCache);

const command = parseLabCommand(process.argv.slice(2));
switch (command.kind) {
  case 'run':
    if (command.run.publicUrl === undefined) {
      const { runOutside } = await import('./run-outside.ts');
      process.exitCode = await runOutside(command.run, process.argv.slice(2));
    } else {
      const { runInside } = await import('./run-inside.ts');
      process.exit(await runInside(command.run));
    }
    break;
  case 'help':
    process.stdout.write(helpText);
    break;
  case 'wrong':
    process.stderr.write(`lab: ${command.problem}; see --help\n`);
    process.exitCode = 2;
}
