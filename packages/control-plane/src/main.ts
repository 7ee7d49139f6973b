#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseCommandLine } from './command-line.ts';

/**
 * Where compiled modules are kept from one start to the next: half a second of each start would go into compiling. Beside the
 * program and not in /tmp, where others could put theirs. Where nothing can be written, it is done without.
 */
const compileCache = fileURLToPath(new URL('../../../node_modules/.cache/ambient-compile', import.meta.url));

const command = parseCommandLine(process.argv.slice(2));
switch (command.kind) {
  case 'run': {
    enableCompileCache(compileCache);
    const { runControlPlane } = await import('./run.ts');
    flushCompileCache();
    process.exit(await runControlPlane(command.overrides));
    break;
  }
  case 'compile':
    enableCompileCache(compileCache);
    await import('./run.ts');
    flushCompileCache();
    break;
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
