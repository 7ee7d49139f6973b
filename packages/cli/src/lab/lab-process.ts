import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { mkdirSync, openSync, closeSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Readable } from 'node:stream';

import { isRecord, LineSplitter } from '@ambient/kube';
import { sleep } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import { CliError } from '../errors.ts';

/** What is known of a lab by its run directory. */
export interface LabState {
  readonly name: string;
  readonly directory: string;
  readonly pid: number;
  /** Of the process, in clock ticks since boot: a number that another process of the same pid does not have. */
  readonly startTicks: string;
  readonly startedAtMs: number;
  readonly nodes: number;
  /** Whether the process is there. */
  readonly running: boolean;
}

export interface LabOptions {
  readonly name: string;
  readonly nodes: number;
  readonly ipv4Only: boolean;
}

const stateFile = 'ambientctl.json';
const pollMs = 100;
/** Pods have their grace. */
const downTimeoutMs = 60_000;

/** The labs of a user, each in a run directory of its name. */
export class Labs {
  readonly #root: string;
  readonly #program: string;
  readonly #clock: Clock;

  /** @param program the lab's own, which is given `run` and options */
  constructor(root: string, program: string, clock: Clock) {
    this.#root = root;
    this.#program = program;
    this.#clock = clock;
  }

  /** @throws CliError for a name that is none */
  directoryOf(name: string): string {
    if (!/^[a-z0-9]([a-z0-9-]{0,30}[a-z0-9])?$/.test(name))
      throw new CliError('USAGE', `--name ${name}: use up to 32 small letters, digits and dashes`);
    return join(this.#root, name);
  }

  all(): LabState[] {
    let names: string[];
    try {
      names = readdirSync(this.#root);
    } catch {
      return [];
    }
    return names.sort().flatMap((name) => this.#read(join(this.#root, name)) ?? []);
  }

  /** @throws CliError LAB if there is none, or it does not run */
  running(name: string): LabState {
    const state = this.#read(this.directoryOf(name));
    if (state?.running === true) return state;
    const others = this.all().filter((each) => each.running);
    throw new CliError(
      'LAB',
      `no lab ${name} runs; start one by ambientctl lab up${others.length === 0 ? '' : `, or name one with --name: ${others.map((each) => each.name).join(', ')}`}`,
    );
  }

  /**
   * Starts a lab; resolves when it says that it is ready, and leaves it running.
   *
   * @param onProgress one line for people
   * @param interrupted ends what has been started
   * @throws CliError LAB
   */
  async up(
    options: LabOptions,
    onProgress: (text: string) => void,
    interrupted: AbortSignal,
  ): Promise<{ readonly state: LabState; readonly kubeconfig: string; readonly process: ChildProcess }> {
    const directory = this.directoryOf(options.name);
    if (this.#read(directory)?.running === true)
      throw new CliError(
        'LAB',
        `lab ${options.name} runs already; end it by ambientctl lab down --name ${options.name}, or start another one with --name`,
      );
    rmSync(directory, { recursive: true, force: true });
    mkdirSync(directory, { recursive: true, mode: 0o700 });
    const logPath = join(directory, 'lab.log');
    const log = openSync(logPath, 'a', 0o600);
    const child = spawn(
      this.#program,
      [
        ...['run', '--name', options.name, '--directory', directory, '--nodes', String(options.nodes)],
        ...(options.ipv4Only ? ['--ipv4-only'] : []),
        ...['--ready-fd', '3'],
      ],
      { detached: true, stdio: ['ignore', log, log, 'pipe'] },
    );
    closeSync(log);
    const ended = new Promise<string>((resolve) => {
      child.once('error', (error) => resolve(error.message));
      child.once('close', (code, signal) => resolve(`it ended with ${signal ?? `exit code ${code}`}`));
    });
    const state = this.#write(child, options, directory);
    const stop = (): void => void child.kill('SIGTERM');
    interrupted.addEventListener('abort', stop, { once: true });
    if (interrupted.aborted) stop();
    try {
      const result = await Promise.race([
        readProgress(child.stdio[3] as Readable, onProgress),
        ended.then((reason) => ({ reason })),
      ]);
      // Its end of the pipe may close before the process is gone.
      if ('reason' in result || interrupted.aborted) {
        const reason = 'reason' in result ? result.reason : 'interrupted';
        if ('reason' in result) stop();
        await ended;
        const words = tail(logPath);
        // Whoever has changed his mind wants nothing of it; what failed by itself is to be looked at.
        if (interrupted.aborted) rmSync(directory, { recursive: true, force: true });
        throw new CliError('LAB', `the lab did not start: ${reason}${words}`);
      }
      return { state, kubeconfig: result.kubeconfig, process: child };
    } finally {
      interrupted.removeEventListener('abort', stop);
    }
  }

  /** Ends a lab, and removes its run directory when it is gone. @throws CliError LAB */
  async down(name: string): Promise<void> {
    const directory = this.directoryOf(name);
    const state = this.#read(directory);
    if (state === undefined) throw new CliError('LAB', `there is no lab ${name}; see ambientctl lab status`);
    if (state.running) {
      process.kill(state.pid, 'SIGTERM');
      const deadlineMs = this.#clock.nowMs() + downTimeoutMs;
      while (isRunning(state)) {
        if (this.#clock.nowMs() > deadlineMs)
          throw new CliError(
            'LAB',
            `lab ${name} still runs ${downTimeoutMs / 1000} s after SIGTERM; see ${join(directory, 'lab.log')}, and end process ${state.pid} by SIGKILL`,
          );
        await sleep(this.#clock, pollMs);
      }
    }
    rmSync(directory, { recursive: true, force: true });
  }

  #write(child: ChildProcess, { name, nodes }: LabOptions, directory: string): LabState {
    const pid = child.pid ?? 0;
    const startTicks = startTicksOf(pid) ?? '';
    const state = { name, pid, startTicks, nodes, startedAtMs: this.#clock.nowMs() };
    writeFileSync(join(directory, stateFile), `${JSON.stringify(state)}\n`, { mode: 0o600 });
    return { ...state, directory, running: true };
  }

  #read(directory: string): LabState | undefined {
    try {
      const state = JSON.parse(readFileSync(join(directory, stateFile), 'utf8')) as Omit<
        LabState,
        'directory' | 'running'
      >;
      return { ...state, directory, running: isRunning(state) };
    } catch {
      return undefined;
    }
  }
}

function isRunning({ pid, startTicks }: Pick<LabState, 'pid' | 'startTicks'>): boolean {
  return startTicks !== '' && startTicksOf(pid) === startTicks;
}

/** Field 22 of `/proc/PID/stat` (proc(5)); undefined for a process that is gone, or dead and not yet waited for. */
function startTicksOf(pid: number): string | undefined {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    // The name, in parentheses, may have blanks.
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return fields[0] === 'Z' || fields[0] === 'X' ? undefined : fields[19];
  } catch {
    return undefined;
  }
}

/** Lines of JSON, `{"phase", "text"}`; the last is `{"ready": true, "kubeconfig"}` or `{"failed"}`. Resolves at the end with what is missing. */
async function readProgress(
  pipe: Readable,
  onProgress: (text: string) => void,
): Promise<{ readonly kubeconfig: string } | { readonly reason: string }> {
  const { promise, resolve } = Promise.withResolvers<{ kubeconfig: string } | { reason: string }>();
  const lines = new LineSplitter((line) => {
    let message: unknown;
    try {
      message = JSON.parse(line);
    } catch {
      message = undefined;
    }
    if (!isRecord(message)) resolve({ reason: `it said ${JSON.stringify(line)} where JSON was expected` });
    else if (message['ready'] === true && typeof message['kubeconfig'] === 'string')
      resolve({ kubeconfig: message['kubeconfig'] });
    else if (typeof message['failed'] === 'string') resolve({ reason: message['failed'] });
    else if (typeof message['text'] === 'string') onProgress(message['text']);
  });
  pipe.on('data', (chunk: Buffer) => lines.push(chunk));
  pipe.on('error', (error) => resolve({ reason: error.message }));
  pipe.on('close', () => resolve({ reason: 'it ended before it was ready' }));
  const result = await promise;
  // The lab goes on, and this process may end.
  pipe.destroy();
  return result;
}

function tail(path: string): string {
  try {
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n').slice(-10);
    return lines.join('') === ''
      ? `; its log, ${path}, is empty`
      : `; the end of ${path}:\n${lines.join('\n')}`;
  } catch {
    return '';
  }
}
