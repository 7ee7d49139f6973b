import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync } from 'node:fs';
import { constants } from 'node:os';
import { resolve } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { LabRun } from './command-line.ts';
import { entranceUrl, openEntrance } from './entrance.ts';
import { findIsolation, isolationRemedy } from './isolation.ts';
import { removeLabFiles } from './lab-files.ts';

/** Descriptors of the half inside: where it tells its progress, and the pipe that ends when this half does. */
const READY_FD = 3;
export const LIFELINE_FD = 4;

const init = fileURLToPath(new URL('init.sh', import.meta.url));

/**
 * The half of the program in the user's own namespaces: makes those of the lab, and a port on loopback that leads to the API
 * inside, for kubectl. Ends when the lab does; if it is killed, the lab ends.
 *
 * @returns exit code
 */
export async function runOutside(run: LabRun, args: readonly string[]): Promise<number> {
  const isolation = findIsolation('ip link set lo up');
  if ('refusal' in isolation) {
    process.stderr.write(
      `lab: the kernel refuses namespaces (${isolation.refusal}).\n${isolationRemedy()}\n`,
    );
    return 1;
  }
  const directory = resolve(run.directory);
  try {
    mkdirSync(directory, { recursive: true });
  } catch (error) {
    process.stderr.write(`lab: cannot use --directory ${directory}: ${(error as Error).message}\n`);
    return 1;
  }
  using entrance = await openEntrance(directory);
  const inside = [
    ...[process.execPath, '--disable-warning=ExperimentalWarning', process.argv[1]!, ...args],
    ...['--directory', directory, '--public-url', entranceUrl(entrance), '--ready-fd', String(READY_FD)],
  ];
  const child = spawn('unshare', [...isolation.options, 'sh', init, ...inside], {
    stdio: ['ignore', 'inherit', 'inherit', run.readyFd ?? 'pipe', 'pipe'],
  });
  const lifeline = child.stdio[LIFELINE_FD]!;
  lifeline.on('error', () => undefined);
  if (run.readyFd === undefined) {
    const progress = child.stdio[READY_FD]! as NodeJS.ReadableStream;
    const { showProgress } = await import('./progress.ts');
    showProgress(progress, process.stderr);
  }
  const end = (): void => void lifeline.destroy();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, end);
  try {
    const [code, signal] = (await once(child, 'exit')) as [number | null, NodeJS.Signals | null];
    return code ?? 128 + constants.signals[signal!];
  } catch (error) {
    process.stderr.write(`lab: cannot run unshare: ${(error as Error).message}; install util-linux\n`);
    return 1;
  } finally {
    // Also of a half inside that was killed.
    removeLabFiles(directory);
  }
}
