#!/usr/bin/env node
import { mkdirSync } from 'node:fs';
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

// This module is what runs before anything is decided: it must stay small and import nothing that is large.

/**
 * Options of V8 and of Node that cannot be changed once a process runs. A nursery of 2 MiB is enough for the main thread,
 * which handles a message now and then. It collects its garbage by itself after the first mesh (`release-memory.ts`).
 */
const nodeOptions = ['--max-semi-space-size=2', '--expose-gc'];

/**
 * Where compiled modules are kept from one start to the next. Without it each thread would load the TypeScript compiler:
 * three times the time to start, and 12 MB a thread. Beside the program and not in /tmp, where others could put theirs.
 */
const compileCache = fileURLToPath(new URL('../../../node_modules/.cache/ambient-compile', import.meta.url));

const { parseCommandLine } = await import('./command-line.ts');
const command = parseCommandLine(process.argv.slice(2));

switch (command.kind) {
  case 'run': {
    if (!nodeOptions.every((option) => process.execArgv.includes(option))) await restart();
    const { runZtunnel } = await import('./run.ts');
    process.exit(await runZtunnel());
    break;
  }
  case 'compile':
    enableCompileCache(compileCache);
    await import('./run.ts');
    // The module of the workers ends with an error on a thread that is none; by then it is loaded.
    await import('./worker/main.ts').catch(() => {});
    flushCompileCache();
    break;
  case 'help': {
    const { helpText } = await import('./command-line.ts');
    process.stdout.write(helpText);
    break;
  }
  case 'version': {
    const { version } = await import('./version.ts');
    process.stdout.write(`ztunnel ${version} (Node.js ${process.version})\n`);
    break;
  }
  case 'wrong':
    process.stderr.write(
      `ztunnel: ${JSON.stringify(command.argument)} is not understood; settings come from the environment, see --help\n`,
    );
    process.exitCode = 1;
    break;
}

/** Replaces this process by one with our options: same pid, same standard streams. */
async function restart(): Promise<never> {
  const args = [...nodeOptions, ...process.execArgv, fileURLToPath(import.meta.url)];
  // Handed on, not read.
  // eslint-disable-next-line no-restricted-properties
  const env = { NODE_COMPILE_CACHE: compileCache, ...process.env };
  await fillCompileCache(args, env);
  return process.execve!(process.execPath, [process.execPath, ...args, ...process.argv.slice(2)], env);
}

/** Before the very first start the cache is filled by a process of its own, whose memory goes away with it. */
async function fillCompileCache(args: readonly string[], env: NodeJS.ProcessEnv): Promise<void> {
  try {
    const created = mkdirSync(compileCache, { recursive: true });
    if (created === undefined) return;
  } catch {
    // No place for it: it is done without.
    return;
  }
  const { spawnSync } = await import('node:child_process');
  spawnSync(process.execPath, [...args, 'compile'], { env, stdio: 'ignore' });
}
