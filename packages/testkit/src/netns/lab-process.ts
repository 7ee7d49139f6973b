import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createWriteStream, readFileSync } from 'node:fs';
import { createInterface } from 'node:readline';
import { NetnsError } from './errors.ts';

export interface LaunchOptions {
  /** For messages and the name of the log file. */
  readonly name: string;
  /** Program and arguments, after which nothing is interpreted by a shell. */
  readonly argv: readonly string[];
  /** The whole environment: nothing is inherited from the test runner. */
  readonly env: Readonly<Record<string, string>>;
  readonly logPath: string;
  readonly cwd: string;
  /** Written to standard input, which is then closed; without it standard input is empty. */
  readonly input?: string;
}

export interface ProcessExit {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

/** Lines that a process may print before a test asks for them; older ones are only in the log file. */
const REMEMBERED_LINES = 10_000;
const TAIL_LINES = 15;

/** A process started by a lab: its output is kept in a log file and can be waited for; it never outlives the lab. */
export class LabProcess {
  readonly name: string;
  readonly logPath: string;
  /** Settles when the process has ended and its output is complete. */
  readonly exited: Promise<ProcessExit>;
  #exit: ProcessExit | undefined;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #stdout: string[] = [];
  readonly #watchers = new Set<() => void>();

  private constructor(options: LaunchOptions, child: ChildProcess) {
    this.name = options.name;
    this.logPath = options.logPath;
    this.#child = child;
    const log = createWriteStream(options.logPath, { flags: 'a' });
    for (const stream of [child.stdout!, child.stderr!]) {
      const isStdout = stream === child.stdout;
      createInterface({ input: stream }).on('line', (line) => {
        log.write(`${line}\n`);
        this.#lines.push(line);
        if (isStdout) this.#stdout.push(line);
        if (this.#lines.length > REMEMBERED_LINES) this.#lines.shift();
        if (this.#stdout.length > REMEMBERED_LINES) this.#stdout.shift();
        this.#wake();
      });
    }
    this.exited = new Promise((resolve) => {
      child.once('close', (code, signal) => {
        this.#exit = { code, signal };
        log.end(() => resolve({ code, signal }));
        this.#wake();
      });
    });
  }

  /**
   * Starts the program in a process group of its own. Rejects if it cannot be executed.
   * @param onForked takes the process over before anything is waited for: from then on there is something to end
   */
  static async launch(
    options: LaunchOptions,
    onForked: (process_: LabProcess) => void = () => undefined,
  ): Promise<LabProcess> {
    const [command, ...args] = options.argv as [string, ...string[]];
    const child = spawn(command, args, {
      env: { ...options.env },
      cwd: options.cwd,
      detached: true,
      stdio: [options.input === undefined ? 'ignore' : 'pipe', 'pipe', 'pipe'],
    });
    const launched = new LabProcess(options, child);
    if (child.pid !== undefined) onForked(launched);
    await new Promise<void>((resolve, reject) => {
      child.once('spawn', resolve);
      child.once('error', (cause) => {
        reject(
          new NetnsError('ERR_NETNS_TOOL_MISSING', `cannot run ${command}: install it, or check PATH`, {
            cause,
          }),
        );
      });
    });
    if (options.input !== undefined) {
      child.stdin!.on('error', () => undefined); // a program may end without reading all of it
      child.stdin!.end(options.input);
    }
    return launched;
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** How the process ended, or undefined while it runs. */
  get exit(): ProcessExit | undefined {
    return this.#exit;
  }

  /** Lines of standard output and error so far, in the order in which they came; the oldest are dropped. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Standard output so far, without error lines. */
  get stdout(): string {
    return this.#stdout.join('\n');
  }

  /**
   * Resolves with the first line, printed already or yet to come, that `accept` takes. Rejects at the deadline
   * (milliseconds), and when the process ends before.
   */
  async waitForLine(accept: RegExp | ((line: string) => boolean), deadlineMs = 10_000): Promise<string> {
    const test = accept instanceof RegExp ? (line: string) => accept.test(line) : accept;
    const what = accept instanceof RegExp ? `a line like ${String(accept)}` : 'the awaited line';
    return this.waitFor(() => this.#lines.find(test), what, deadlineMs);
  }

  /**
   * Resolves with the first result of `probe` that is not undefined; it is asked at once, then after each line of output
   * and, for what shows in no output, every `pollMs`.
   */
  waitFor<T>(probe: () => T | undefined, what: string, deadlineMs = 10_000, pollMs = 0): Promise<T> {
    return new Promise<T>((resolve, reject) => {
      const settle = (act: () => void): void => {
        clearTimeout(deadline);
        clearInterval(poll);
        this.#watchers.delete(attempt);
        act();
      };
      const attempt = (): void => {
        try {
          const value = probe();
          if (value !== undefined) settle(() => resolve(value));
          else if (this.#exit !== undefined) settle(() => reject(this.#endedBefore(what)));
        } catch (error) {
          settle(() => reject(error instanceof Error ? error : new Error(String(error))));
        }
      };
      const deadline = setTimeout(() => {
        settle(() => {
          reject(
            new NetnsError(
              'ERR_NETNS_DEADLINE',
              `${this.name}: no ${what} within ${deadlineMs} ms${this.#tail()}`,
            ),
          );
        });
      }, deadlineMs);
      const poll = pollMs > 0 ? setInterval(attempt, pollMs) : undefined;
      this.#watchers.add(attempt);
      attempt();
    });
  }

  /**
   * Waits until the process's network namespace has a TCP listener on the port. Reads the kernel's own table, so that
   * the wait itself opens no connection that a test would then find in its counts.
   */
  waitForListener(port: number, deadlineMs = 10_000): Promise<true> {
    return this.waitFor(
      () => (hasTcpListener(this.pid, port) ? true : undefined),
      `TCP listener on port ${port}`,
      deadlineMs,
      10,
    );
  }

  /** Sends one signal to the process alone; nothing happens if it has ended. */
  signal(signal: NodeJS.Signals): void {
    if (this.#exit === undefined) this.#child.kill(signal);
  }

  /** Ends the process with `signal`, and with its group by SIGKILL if it has not ended by the deadline. */
  async stop(signal: NodeJS.Signals = 'SIGTERM', deadlineMs = 5000): Promise<ProcessExit> {
    if (this.#exit !== undefined) return this.#exit;
    this.signal(signal);
    const force = setTimeout(() => this.killNow(), deadlineMs);
    try {
      return await this.exited;
    } finally {
      clearTimeout(force);
      this.killNow(); // children that the program left in its group
    }
  }

  /** Kills the process and its group at once, without waiting; safe in an exit handler. */
  killNow(): void {
    try {
      process.kill(-this.pid, 'SIGKILL');
    } catch {
      // no process of the group is left
    }
  }

  #wake(): void {
    for (const watcher of [...this.#watchers]) watcher();
  }

  #endedBefore(what: string): NetnsError {
    const { code, signal } = this.#exit!;
    return new NetnsError(
      'ERR_NETNS_EXITED',
      `${this.name} ended (${signal ?? `code ${code ?? 0}`}) before ${what}${this.#tail()}`,
    );
  }

  #tail(): string {
    if (this.#lines.length === 0) return '; it printed nothing';
    return `; its last lines:\n  ${this.#lines.slice(-TAIL_LINES).join('\n  ')}`;
  }
}

const TCP_LISTEN = '0A';

/** True if the network namespace of the process has a TCP socket listening on the port, on any address. */
function hasTcpListener(pid: number, port: number): boolean {
  const suffix = `:${port.toString(16).toUpperCase().padStart(4, '0')}`;
  return ['tcp', 'tcp6'].some((table) => {
    let text: string;
    try {
      text = readFileSync(`/proc/${pid}/net/${table}`, 'latin1');
    } catch {
      return false; // gone, or a kernel without IPv6
    }
    return text
      .split('\n')
      .slice(1)
      .some((row) => {
        const [, local, , state] = row.trim().split(/\s+/);
        return state === TCP_LISTEN && local!.endsWith(suffix);
      });
  });
}
