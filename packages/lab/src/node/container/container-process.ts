import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { constants } from 'node:os';
import { readdirSync, readFileSync, readlinkSync } from 'node:fs';
import type { Readable } from 'node:stream';

import { ContainerError, messageOf } from '../errors.ts';
import type { ScriptOptions } from './shell-script.ts';
import { commandWords, containerScript, quoted } from './shell-script.ts';

export interface ContainerOptions extends Omit<ScriptOptions, 'ownProc'> {
  /** A process in the network namespace that the container joins. */
  readonly sandboxPid: number;
  /** That process has a host name and IPC of its own, which are joined as well; those of the machine need not be. */
  readonly ownHostName: boolean;
  /** False: the container sees all processes of the lab, as one that mounts the node's /proc needs it. */
  readonly ownProcesses: boolean;
}

export interface ContainerEnd {
  readonly exitCode: number;
  /** Number of the signal that ended it; undefined if it ended by itself. */
  readonly signal: number | undefined;
}

/** Programs of the machine that a container is made of are looked up here. */
const systemEnvironment = { PATH: '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin' };

/**
 * The process of one run of a container, in a mount namespace (and mostly a process namespace) of its own. It does not outlive
 * this process.
 */
export class ContainerProcess {
  readonly #options: ContainerOptions;
  /** Of the container's first process, in this process's own /proc. */
  readonly pid: number;
  /** Settles when the process has ended and its output is complete. */
  readonly ended: Promise<ContainerEnd>;
  #endedWith: ContainerEnd | undefined;
  readonly #mountNamespace: string | undefined;
  #asked: NodeJS.Signals | undefined;

  private constructor(child: ChildProcess, end: Promise<ExitOf>, pid: number, options: ContainerOptions) {
    this.#options = options;
    this.pid = pid;
    this.#mountNamespace = namespaceOf(pid, 'mnt');
    // What it left may hold the ends of its output open.
    child.once('exit', () => this.#sweep());
    this.ended = end.then(({ code, signal }) => {
      // unshare(1) of util-linux before 2.39 does not die of the SIGKILL that its child died of, but complains and ends with 1.
      const killed = signal !== null || (code === 1 && this.#asked !== undefined);
      const number = killed ? constants.signals[this.#asked ?? signal ?? 'SIGKILL'] : undefined;
      this.#endedWith =
        number === undefined
          ? { exitCode: code ?? 255, signal: undefined }
          : { exitCode: 128 + number, signal: number };
      return this.#endedWith;
    });
  }

  /**
   * @param onOutput gets standard output and error before anything is written to them
   * @throws ContainerError RunContainerError
   */
  static async start(
    options: ContainerOptions,
    onOutput: (stdout: Readable, stderr: Readable) => void,
  ): Promise<ContainerProcess> {
    const { sandboxPid, ownHostName, ownProcesses } = options;
    const script = containerScript({ ...options, ownProc: ownProcesses });
    const argv = [
      ...['--pdeathsig=KILL', 'nsenter', '--target', String(sandboxPid), '--net'],
      ...(ownHostName ? ['--uts', '--ipc'] : []),
      ...['unshare', '--mount', ...(ownProcesses ? ['--pid', '--fork', '--kill-child=KILL'] : [])],
      ...['sh', '-c', script],
    ];
    const child = spawn('setpriv', argv, {
      env: systemEnvironment,
      cwd: '/',
      detached: true,
      stdio: ['ignore', 'pipe', 'pipe', 'pipe'],
    });
    let complaint = '';
    const listen = (chunk: Buffer): void => {
      complaint += chunk.toString();
    };
    const [stdout, stderr] = [child.stdout as Readable, child.stderr as Readable];
    stderr.on('data', listen);
    onOutput(stdout, stderr);
    const end = endOf(child);
    let told: string;
    try {
      told = await readStart(child.stdio[3] as Readable);
    } catch (error) {
      throw new ContainerError('RunContainerError', `cannot start a process: ${messageOf(error)}`, {
        cause: error,
      });
    }
    const [first = '', ...rest] = told.split('\n');
    stderr.off('data', listen);
    const problem = rest.filter((line) => line !== '').join('; ');
    const pid = /^pid (\d+)$/.exec(first)?.[1];
    if (pid === undefined || rest.at(-2) !== 'go') {
      killGroup(child);
      await end;
      throw new ContainerError(
        'RunContainerError',
        `the container's file system could not be made: ${problem || complaint.trim() || 'no process was started'}`,
      );
    }
    return new ContainerProcess(child, end, Number(pid), options);
  }

  get running(): boolean {
    return this.#endedWith === undefined;
  }

  /**
   * Asks the first process to end. One that has no handler for the signal ends at once, as if it were an ordinary process; the
   * kernel would ignore the signal, as it does in a real container.
   */
  terminate(): void {
    if (!this.running) return;
    if (this.#options.ownProcesses && !handlesTerm(this.pid)) {
      this.#asked = 'SIGTERM';
      this.kill();
      return;
    }
    signalProcess(this.pid, 'SIGTERM');
  }

  /** Ends all processes of the container. */
  kill(): void {
    if (!this.running) return;
    this.#asked ??= 'SIGKILL';
    signalProcess(this.pid, 'SIGKILL');
    this.#sweep();
  }

  /**
   * Starts another program in the container.
   *
   * @throws ContainerError CONTAINER_NOT_RUNNING
   */
  spawn(argv: readonly string[], { tty, stdin }: { tty: boolean; stdin: boolean }): ChildProcess {
    if (!this.running) throw new ContainerError('CONTAINER_NOT_RUNNING', 'the container is not running');
    const { user, environment, ownProcesses, ownHostName, workingDirectory } = this.#options;
    const inside = commandWords({ user, environment, command: argv });
    const words = [
      ...['nsenter', '--target', String(this.pid), '--mount', '--net'],
      ...(ownHostName ? ['--uts', '--ipc'] : []),
      ...(ownProcesses ? ['--pid'] : []),
      ...['sh', '-c', 'cd "$0" && exec "$@"', workingDirectory ?? '/', ...inside],
    ];
    // `script` lends its terminal; there is no other program on every machine that does.
    const line = tty
      ? ['script', '--quiet', '--flush', '--return', '--command', words.map(quoted).join(' '), '/dev/null']
      : words;
    return spawn('setpriv', ['--pdeathsig=KILL', ...line], {
      env: { ...systemEnvironment, SHELL: '/bin/sh' },
      cwd: '/',
      detached: true,
      stdio: [stdin ? 'pipe' : 'ignore', 'pipe', 'pipe'],
    });
  }

  /** Processes that the first one left; within a process namespace the kernel has ended them with it. */
  #sweep(): void {
    if (this.#options.ownProcesses || this.#mountNamespace === undefined) return;
    for (const entry of readdirSync('/proc')) {
      const pid = Number(entry);
      if (Number.isInteger(pid) && namespaceOf(pid, 'mnt') === this.#mountNamespace)
        signalProcess(pid, 'SIGKILL');
    }
  }
}

interface ExitOf {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

function endOf(child: ChildProcess): Promise<ExitOf> {
  return new Promise((resolve) => {
    child.once('error', () => resolve({ code: 127, signal: null }));
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
}

/** What the script says until the command takes over or it ends: who waits for a process namespace keeps the other end open. */
function readStart(stream: Readable): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = '';
    stream.setEncoding('utf8');
    stream.on('data', (chunk: string) => {
      text += chunk;
      if (text.endsWith('\ngo\n')) stream.destroy();
    });
    stream.once('error', reject);
    stream.once('close', () => resolve(text));
  });
}

function killGroup(child: ChildProcess): void {
  if (child.pid !== undefined) signalProcess(-child.pid, 'SIGKILL');
}

function signalProcess(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It has ended meanwhile, which is what was wanted.
  }
}

function namespaceOf(pid: number, kind: string): string | undefined {
  try {
    return readlinkSync(`/proc/${pid}/ns/${kind}`);
  } catch {
    return undefined;
  }
}

/** Whether a process catches SIGTERM (proc_pid_status(5), SigCgt). */
function handlesTerm(pid: number): boolean {
  try {
    const mask = /^SigCgt:\s*([0-9a-f]+)$/m.exec(readFileSync(`/proc/${pid}/status`, 'latin1'))?.[1];
    return mask !== undefined && ((BigInt(`0x${mask}`) >> BigInt(constants.signals.SIGTERM - 1)) & 1n) === 1n;
  } catch {
    return false;
  }
}
