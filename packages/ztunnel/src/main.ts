#!/usr/bin/env node
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { compileCache, runCommonCommand } from '@ambient/runtime/entry';
import { parseCommandLine } from './command-line.ts';
import { version } from './version.ts';

// This module is what runs before anything is decided: it must stay small and import nothing that is large.

/**
 * Options of V8 and of Node that cannot be changed once a process runs. A nursery of 2 MiB is enough for the main thread,
 * which handles a message now and then. It collects its garbage by itself after the first mesh (`release-memory.ts`). A data
 * worker collects young garbage alone: helpers take the CPU that it is on, or have to wait for another one while it waits
 * for them.
 */
const nodeOptions = ['--max-semi-space-size=2', '--expose-gc', '--no-parallel-scavenge'];

/** Every module, also that of the workers, which ends with an error on a thread that is none; by then it is loaded. */
async function load(): Promise<void> {
  await import('./run.ts');
  await import('./worker/main.ts').catch(() => {});
}

const command = parseCommandLine(process.argv.slice(2));
// What is compiled is of use only under the same options of V8.
const needsOptions = command.kind === 'run' || command.kind === 'compile';
if (needsOptions && !nodeOptions.every((option) => process.execArgv.includes(option))) await restart();
if (command.kind === 'run') {
  const { runZtunnel } = await import('./run.ts');
  process.exit(await runZtunnel());
}
await runCommonCommand(command, { name: 'ztunnel', version, load });

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
