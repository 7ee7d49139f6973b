import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';

/** A program in a pod, or in a node's network, did not do what the tour needs of it. */
export class AppError extends Error {
  override readonly name = 'AppError';
  readonly code = 'ERR_TOUR_APP';
}

const DEADLINE_MS = 20_000;

/** A program that the tour has started somewhere in the cluster, and what it says. */
export class AppProcess {
  readonly #name: string;
  readonly #child: ChildProcess;
  readonly #lines: string[] = [];
  readonly #looking = new Set<() => void>();
  readonly #ended: Promise<unknown>;

  constructor(name: string, child: ChildProcess) {
    this.#name = name;
    this.#child = child;
    child.on('error', (error) => this.#take(error.message));
    this.#ended = once(child, 'close').catch(() => undefined);
    void this.#ended.then(() => this.#tell());
    for (const stream of [child.stdout, child.stderr])
      if (stream !== null) createInterface({ input: stream }).on('line', (line) => this.#take(line));
  }

  /** Of standard output and error, as they came. */
  get lines(): readonly string[] {
    return this.#lines;
  }

  /** Resolves with the first line, past or to come, that matches. @throws AppError with what it said instead */
  waitForLine(pattern: RegExp, deadlineMs = DEADLINE_MS): Promise<string> {
    const { promise, resolve, reject } = Promise.withResolvers<string>();
    const fail = (why: string): void =>
      reject(
        new AppError(
          `${this.#name}: no line ${String(pattern)}, ${why}:\n${this.#lines.slice(-15).join('\n')}`,
        ),
      );
    const timer = setTimeout(() => fail(`after ${deadlineMs / 1000} s`), deadlineMs);
    const look = (): void => {
      const line = this.#lines.find((each) => pattern.test(each));
      if (line !== undefined) resolve(line);
      else if (this.#child.exitCode !== null || this.#child.signalCode !== null) fail('it has ended');
    };
    this.#looking.add(look);
    look();
    return promise.finally(() => {
      clearTimeout(timer);
      this.#looking.delete(look);
    });
  }

  /** Waits for its end. @returns exit code */
  async end(): Promise<number> {
    await this.#ended;
    return this.#child.exitCode ?? -1;
  }

  #take(line: string): void {
    this.#lines.push(line);
    this.#tell();
  }

  #tell(): void {
    for (const look of [...this.#looking]) look();
  }
}
