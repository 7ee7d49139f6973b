/**
 * Runs a task as root in namespaces of its own: network, mounts and processes; and, without root, in a user namespace.
 * Whatever the task makes (network namespaces, firewall rules, processes) is gone when it ends, however it ends.
 *
 * Usage: node scripts/setup/isolate.ts TASK [options of the task]
 */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { constants, tmpdir } from 'node:os';
import { join } from 'node:path';
import { findIsolation, isolationRemedy } from '@ambient/lab/isolation';

import { makeTaskDirectory, TaskDirectoryError } from './task-directory.ts';
import type { TaskDirectory } from './task-directory.ts';

const scripts = join(import.meta.dirname, '..');
const tasks: Readonly<Record<string, string>> = {
  tour: join(scripts, 'tour.ts'),
  test: join(scripts, 'test.ts'),
  fuzz: join(scripts, 'fuzz.ts'),
  bench: join(scripts, '..', 'bench', 'main.ts'),
};

/** Name and parent of a process, undefined if it has ended. */
function processStatus(pid: number): { readonly name: string; readonly parent: number } | undefined {
  try {
    const [, name = '', rest = ''] = /\((.*)\) (.*)/.exec(readFileSync(`/proc/${pid}/stat`, 'utf8')) ?? [];
    return { name, parent: Number(rest.split(' ')[1]) };
  } catch {
    return undefined;
  }
}

/**
 * Returns a function that tells whether the npm that started this has ended: npm does not pass on the signal that ends it.
 * It starts a script through `sh`, which may stand in between.
 */
function watchNpm(): () => boolean {
  if (process.env['npm_lifecycle_event'] === undefined) return () => false;
  const parent = process.ppid;
  const shell = processStatus(parent);
  if (shell?.name !== 'sh') return () => process.ppid !== parent;
  return () => process.ppid !== parent || processStatus(parent)?.parent !== shell.parent;
}

/** What a task is given for its time, and what takes it away again. */
interface Provision extends Disposable {
  readonly args: readonly string[];
  readonly env: NodeJS.ProcessEnv;
}

/**
 * The tour's cluster is reached by a port on 127.0.0.1 that leads to a Unix socket in its directory, whose path means the same
 * inside: kubectl in another terminal needs no more.
 */
async function provideEntrance(directory: TaskDirectory): Promise<Provision> {
  const { entranceUrl, openEntrance } = await import('@ambient/lab/entrance');
  const door = await openEntrance(directory.path);
  return {
    args: ['--directory', directory.path, '--public-url', entranceUrl(door)],
    env: {},
    [Symbol.dispose]: () => {
      door[Symbol.dispose]();
      directory[Symbol.dispose]();
    },
  };
}

/** Tests that are killed half-way leave their files, which go with the directory. */
function provideTemporary(directory: TaskDirectory): Provision {
  return {
    args: [],
    env: { TMPDIR: directory.path },
    [Symbol.dispose]: () => {
      directory[Symbol.dispose]();
    },
  };
}

async function provide(task: string): Promise<Provision> {
  if (task === 'tour') return provideEntrance(makeTaskDirectory(task, tmpdir()));
  if (task === 'test') return provideTemporary(makeTaskDirectory(task, tmpdir()));
  return { args: [], env: {}, [Symbol.dispose]: () => undefined };
}

/** Every run of the tests ends with the count, one that could not start included. */
function refuse(task: string, message: string): never {
  console.error(`error: ${message}`);
  if (task === 'test') console.log('0 passed, 1 failed');
  process.exit(1);
}

async function main(): Promise<void> {
  const npmHasGone = watchNpm();
  const [task = '', ...args] = process.argv.slice(2);
  const script = tasks[task];
  if (script === undefined) {
    console.error(`error: unknown task "${task}"; one of: ${Object.keys(tasks).join(', ')}`);
    process.exit(2);
  }
  const workable = findIsolation('mount -t tmpfs tmpfs /run && ip link set lo up');
  if ('refusal' in workable)
    refuse(task, `the kernel refuses namespaces (${workable.refusal}).\n${isolationRemedy()}`);

  const provision = await provide(task).catch((error: unknown) => {
    if (error instanceof TaskDirectoryError) refuse(task, error.message);
    throw error;
  });
  const command = [
    ...[process.execPath, '--disable-warning=ExperimentalWarning', script, ...args],
    ...provision.args,
  ];
  const inside = ['sh', join(scripts, 'setup', 'inside.sh'), ...command];
  const child = spawn('unshare', [...workable.options, ...inside], {
    stdio: ['inherit', 'inherit', 'inherit', 'ignore', 'pipe'],
    env: { ...process.env, ...provision.env },
  });
  const lifeline = child.stdio[4];
  // The terminal gives Ctrl-C to the task as well; only the task knows how to end well.
  process.on('SIGINT', () => undefined);
  for (const signal of ['SIGTERM', 'SIGHUP'] as const) process.on(signal, () => lifeline?.destroy());
  setInterval(() => {
    if (npmHasGone()) lifeline?.destroy();
  }, 1000).unref();
  child.on('error', (error) => {
    console.error(`error: cannot run unshare: ${error.message}`);
    process.exitCode = 1;
  });
  child.on('exit', (code, signal) => {
    provision[Symbol.dispose]();
    process.exit(code ?? 128 + (signal === null ? 0 : constants.signals[signal]));
  });
}

await main();
