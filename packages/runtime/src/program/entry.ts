// What the main modules of programs have in common. They run before anything is compiled: nothing large is imported here.
import { enableCompileCache, flushCompileCache } from 'node:module';
import { fileURLToPath } from 'node:url';

/**
 * Where compiled modules are kept from one start to the next: without it a second of each start goes into compiling. Beside
 * the programs and not in /tmp, where others could put theirs. Where nothing can be written, it is done without.
 */
export const compileCache = fileURLToPath(
  new URL('../../../../node_modules/.cache/ambient-compile', import.meta.url),
);

/** Loads modules from the compile cache, and puts into it what was missing, even if this process is killed later. */
export async function loadCompiled<T>(load: () => Promise<T>): Promise<T> {
  enableCompileCache(compileCache);
  const loaded = await load();
  flushCompileCache();
  return loaded;
}

/** What every program's command line can ask for, besides running it. */
export type CommonCommand =
  /** Loads every module once, so that later starts find them compiled; for images. */
  | { readonly kind: 'compile' }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'version' }
  | { readonly kind: 'wrong'; readonly problem: string };

/** A program as its main module knows it. */
export interface EntryProgram {
  readonly name: string;
  readonly version: string;
  /** Loads every module. */
  readonly load: () => Promise<unknown>;
}

/** Does it; a command line that is wrong makes the exit code 1. */
export async function runCommonCommand(command: CommonCommand, program: EntryProgram): Promise<void> {
  const { name, version, load } = program;
  switch (command.kind) {
    case 'compile':
      await loadCompiled(load);
      break;
    case 'help':
      process.stdout.write(command.text);
      break;
    case 'version':
      process.stdout.write(`${name} ${version} (Node.js ${process.version})\n`);
      break;
    case 'wrong':
      process.stderr.write(`${name}: ${command.problem}; see --help\n`);
      process.exitCode = 1;
      break;
  }
}
