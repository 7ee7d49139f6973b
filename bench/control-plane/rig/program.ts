import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { memoryBytes, processorTime } from '@ambient/testkit/lab';

/** A program under measurement ended before it should. */
export class ProgramEndedError extends Error {
  override readonly name = 'ProgramEndedError';
  readonly code = 'ERR_BENCH_PROGRAM_ENDED';
}

/** What a program has used since it was started. */
export interface ProgramUsage {
  /** User and system time together. */
  readonly cpuSeconds: number;
  readonly rssBytes: number;
  /** The most that it ever was. */
  readonly peakRssBytes: number;
  /** Without the mapped files that processes share. */
  readonly anonymousBytes: number;
}

const keptLines = 40;

/** A program under measurement, in a process of its own. */
export class Program {
  readonly name: string;
  /** Unix time in milliseconds. */
  readonly spawnedMs: number;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #ended: Promise<void>;
  #stopping = false;

  constructor(name: string, argv: readonly string[], environment: Readonly<Record<string, string>>) {
    this.name = name;
    this.spawnedMs = performance.timeOrigin + performance.now();
    this.#child = spawn(argv[0]!, argv.slice(1), {
      env: { ...process.env, ...environment },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    for (const stream of [this.#child.stdout!, this.#child.stderr!])
      stream.setEncoding('utf8').on('data', (text: string) => {
        this.#lines.push(...text.split('\n').filter((line) => line !== ''));
        this.#lines.splice(0, this.#lines.length - keptLines);
      });
    this.#ended = new Promise((resolve) => this.#child.once('exit', () => resolve()));
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** What it does, unless it ends meanwhile. @throws ProgramEndedError with its last lines */
  while<T>(work: Promise<T>): Promise<T> {
    const over = this.#ended.then(() => {
      if (this.#stopping) return work;
      throw new ProgramEndedError(`${this.name} has ended:\n${this.#lines.join('\n')}`);
    });
    return Promise.race([work, over]);
  }

  usage(): ProgramUsage {
    return {
      cpuSeconds: processorTime(this.pid).own,
      rssBytes: memoryBytes(this.pid, 'VmRSS'),
      peakRssBytes: memoryBytes(this.pid, 'VmHWM'),
      anonymousBytes: memoryBytes(this.pid, 'RssAnon'),
    };
  }

  async stop(): Promise<void> {
    this.#stopping = true;
    this.#child.kill('SIGTERM');
    const cut = setTimeout(() => this.#child.kill('SIGKILL'), 15_000);
    await this.#ended;
    clearTimeout(cut);
  }
}

/** Ports of loopback that nobody has at the moment. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = await Promise.all(
    Array.from({ length: count }, async () => {
      const server = createServer();
      await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
      return server;
    }),
  );
  const ports = servers.map((server) => (server.address() as AddressInfo).port);
  await Promise.all(servers.map((server) => new Promise((resolve) => server.close(resolve))));
  return ports;
}
