import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable } from 'node:stream';
import { setTimeout as pause } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';

const program = fileURLToPath(new URL('../../../packages/lab/bin/lab', import.meta.url));
const LOOK_MS = 25;

export interface LabEnd {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  /** Milliseconds that it took from being asked. */
  readonly tookMs: number;
  /** What is left in its directory. */
  readonly files: readonly string[];
}

/** One run of `lab run`, in a directory of its own. */
export class LabProgram implements AsyncDisposable {
  readonly directory: string;
  readonly child: ChildProcess;
  /** What it told of its progress. */
  readonly told: Readonly<Record<string, unknown>>[] = [];
  #errors = '';
  readonly #end: Promise<unknown>;

  /** @param command before the program's own words, such as `setpriv` with its options */
  constructor(args: readonly string[], command: readonly string[] = [], directory = LabProgram.directory()) {
    this.directory = directory;
    const words = [...command, program, 'run', '--directory', directory, '--ready-fd', '3', ...args];
    // A process group of its own, as on a terminal.
    this.child = spawn(words[0]!, words.slice(1), {
      stdio: ['ignore', 'ignore', 'pipe', 'pipe'],
      detached: true,
    });
    this.#end = once(this.child, 'close');
    this.child.stderr!.on('data', (chunk: Buffer) => (this.#errors += chunk.toString()));
    createInterface({ input: this.child.stdio[3] as Readable }).on('line', (line) =>
      this.told.push(JSON.parse(line) as Record<string, unknown>),
    );
  }

  static directory(): string {
    return mkdtempSync(join(tmpdir(), 'ambient-lab-test-'));
  }

  /** Its standard error. */
  get errors(): string {
    return this.#errors;
  }

  /** Waits until it has told something. */
  async until(told: (line: Readonly<Record<string, unknown>>) => boolean): Promise<void> {
    while (!this.told.some(told)) {
      if (this.child.exitCode !== null || this.child.signalCode !== null)
        throw new Error(
          `the lab has ended with ${this.child.exitCode ?? this.child.signalCode}:\n${this.errors}`,
        );
      await pause(LOOK_MS);
    }
  }

  ready(): Promise<void> {
    return this.until(({ ready }) => ready === true);
  }

  /** Everything that it has started, whether or not it is still below it. */
  processes(): number[] {
    return processes().filter((pid) => commandOf(pid).includes(this.directory));
  }

  /** The half in the lab's own namespaces. */
  inner(): number {
    const found = this.processes().find((pid) => /^\S*node .*--public-url/.test(commandOf(pid)));
    if (found === undefined) throw new Error('the lab has no half inside');
    return found;
  }

  /** Asks for the end, and waits until no process of it is left. */
  async end(ask: () => void): Promise<LabEnd> {
    const askedMs = performance.now();
    ask();
    const [code, signal] = (await this.#end) as [number | null, NodeJS.Signals | null];
    while (this.processes().length > 0) await pause(LOOK_MS);
    return { code, signal, tookMs: performance.now() - askedMs, files: readdirSync(this.directory) };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.child.exitCode === null && this.child.signalCode === null)
      await this.end(() => this.child.kill('SIGTERM'));
    rmSync(this.directory, { recursive: true, force: true });
  }
}

/** Every process there is, but for those that have ended and nobody has asked how. */
export function processes(): number[] {
  return readdirSync('/proc').flatMap((name) => {
    if (!/^\d+$/.test(name)) return [];
    try {
      return /\) [ZX] /.test(readFileSync(`/proc/${name}/stat`, 'latin1')) ? [] : [Number(name)];
    } catch {
      return [];
    }
  });
}

function commandOf(pid: number): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}
