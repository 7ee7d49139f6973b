import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import type { Handlers, Question, Reply } from '../programs/serve.ts';

/** A helper of the benchmark ended, or failed at what it was asked to do. */
export class HelperError extends Error {
  override readonly name = 'HelperError';
  readonly code = 'ERR_BENCH_HELPER';
}

type Input<F> = F extends (input: infer I) => unknown ? I : never;
type Output<F> = F extends (...input: never[]) => infer O ? Awaited<O> : never;

/** One of `programs/`, in a process of its own, so that what it costs is not taken for the control plane's. */
export class HelperProcess<H extends Handlers> implements AsyncDisposable {
  readonly #child: ChildProcess;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #questions = 0;
  #ended = false;

  constructor(program: string, args: readonly string[] = []) {
    this.#child = fork(new URL(`../programs/${program}.ts`, import.meta.url), args, {
      execArgv: ['--disable-warning=ExperimentalWarning'],
      stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
    });
    this.#child.on('message', (reply: Reply) => {
      const waiting = this.#waiting.get(reply.id);
      this.#waiting.delete(reply.id);
      if ('error' in reply) waiting?.reject(new HelperError(`${program}: ${reply.error}`));
      else waiting?.resolve(reply.result);
    });
    this.#child.on('exit', (code, signal) => {
      this.#ended = true;
      for (const { reject } of this.#waiting.values())
        reject(new HelperError(`${program} has ended with ${signal ?? code}`));
      this.#waiting.clear();
    });
  }

  get pid(): number {
    return this.#child.pid!;
  }

  /** @throws HelperError */
  ask<M extends keyof H & string>(method: M, input: Input<H[M]>): Promise<Output<H[M]>> {
    if (this.#ended) return Promise.reject(new HelperError('the helper has ended'));
    const waiting = Promise.withResolvers<unknown>();
    const question: Question = { id: ++this.#questions, method, input };
    this.#waiting.set(question.id, waiting);
    this.#child.send(question);
    return waiting.promise as Promise<Output<H[M]>>;
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  stop(): Promise<void> {
    if (this.#ended) return Promise.resolve();
    return new Promise((resolve) => {
      this.#child.once('exit', () => resolve());
      this.#child.kill('SIGKILL');
    });
  }
}
