#!/usr/bin/env node
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';
import { parseCommandLine, helpText } from './command-line.ts';

/**
 * Where compiled modules are kept from one start to the next. Beside the program and not in /tmp, where others could put
 * theirs. Where nothing can be written, it is done without.
 */
const compileCache = fileURLToPath(
  new URL('../../../../node_modules/.cache/ambient-compile', import.meta.url),
);

const command = parseCommandLine(process.argv.slice(2));
switch (command.kind) {
  case 'run': {
    enableCompileCache(compileCache);
    const { runAgent } = await import('./run.ts');
    flushCompileCache();
    process.exit(await runAgent(command.settings));
    break;
  }
  case 'compile':
    enableCompileCache(compileCache);
    await import('./run.ts');
    flushCompileCache();
    break;
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
