import type { ChildProcess } from 'node:child_process';
import { statSync } from 'node:fs';
import { constants } from 'node:os';
import type { Readable, Writable } from 'node:stream';
import { finished } from 'node:stream/promises';

import type { Clock } from '@ambient/runtime';

import type { RunningContainer } from '../containers.ts';
import { commandFailed, commandSucceeded, exitStatus } from './command-status.ts';
import type { CommandStatus } from './command-status.ts';
import { readLog } from './container-log.ts';

/** A client's end of a command, whatever it came over. */
export interface CommandStreams {
  readonly stdin: Readable | undefined;
  readonly stdout: Writable | undefined;
  readonly stderr: Writable | undefined;
  /** The client is gone. */
  readonly gone: AbortSignal;
  /** Says how it ended, and then goodbye. Output has been handed over before. */
  finish(status: CommandStatus): void;
}

/** What a client asked for. */
export interface CommandRequest {
  readonly command: readonly string[];
  readonly tty: boolean;
  readonly stdin: boolean;
  readonly stdout: boolean;
  readonly stderr: boolean;
}

/** By the names that kubelets have for the API's `stdin`, `stdout` and `stderr`. */
export function commandRequest(query: URLSearchParams): CommandRequest {
  const isSet = (name: string): boolean => ['1', 'true'].includes(query.get(name) ?? '');
  const tty = isSet('tty');
  return {
    command: query.getAll('command'),
    tty,
    stdin: isSet('input'),
    stdout: isSet('output'),
    // A terminal has one way out.
    stderr: isSet('error') && !tty,
  };
}

/** Runs a program in a container for a client; settles when both are done. A client that leaves takes the program along. */
export async function runCommand(
  container: RunningContainer,
  request: CommandRequest,
  streams: CommandStreams,
): Promise<void> {
  let child: ChildProcess;
  try {
    child = container.spawn(request.command, { tty: request.tty, stdin: request.stdin });
  } catch (error) {
    streams.finish(commandFailed(`cannot run ${request.command[0] ?? ''}: ${(error as Error).message}`));
    return;
  }
  const kill = (): void => void child.kill('SIGKILL');
  streams.gone.addEventListener('abort', kill, { once: true });
  if (streams.gone.aborted) kill();
  const { promise: ended, resolve } = Promise.withResolvers<CommandStatus>();
  child.once('error', (error) =>
    resolve(commandFailed(`cannot run ${request.command[0] ?? ''}: ${error.message}`)),
  );
  // `close` comes after the last output.
  child.once('close', (code, signal) =>
    resolve(exitStatus(code, signal === null ? undefined : constants.signals[signal])),
  );
  if (streams.stdin !== undefined && child.stdin !== null) {
    // The program may end, or close its input, before the client has sent everything.
    child.stdin.on('error', () => streams.stdin?.resume());
    streams.stdin.pipe(child.stdin);
  }
  const outputs = [
    forward(child.stdout, streams.stdout),
    forward(child.stderr, request.tty ? streams.stdout : streams.stderr),
  ];
  const status = await ended;
  await Promise.all(outputs);
  streams.gone.removeEventListener('abort', kill);
  streams.finish(status);
}

/** Shows a container's output from now on. What it reads as its input cannot be reached from here. */
export async function attach(
  container: RunningContainer,
  stillRuns: () => boolean,
  clock: Clock,
  streams: CommandStreams,
): Promise<void> {
  streams.stdin?.resume();
  const options = {
    follow: true,
    previous: false,
    timestamps: false,
    tailLines: undefined,
    // Asked at once: what is written from now on is shown.
    startAt: statSync(container.logPath, { throwIfNoEntry: false })?.size ?? 0,
    sinceMs: undefined,
    limitBytes: undefined,
    stream: undefined,
  };
  try {
    for await (const piece of readLog(container.logPath, options, clock, stillRuns, streams.gone)) {
      const output = streams[piece.stream] ?? (streams.stderr === undefined ? streams.stdout : undefined);
      if (output?.write(piece.bytes) === false) await drained(output, streams.gone);
    }
    streams.finish(commandSucceeded);
  } catch (error) {
    streams.finish(commandFailed((error as Error).message));
  }
}

/** Settles when the output has been handed over, or nobody takes it. */
async function forward(from: Readable | null, to: Writable | undefined): Promise<void> {
  if (from === null) return;
  if (to === undefined || to.destroyed) {
    from.resume();
    return;
  }
  to.once('close', () => from.resume());
  from.pipe(to, { end: false });
  // The child's `close` event is told how it ended.
  await finished(from).catch(() => undefined);
}

function drained(output: Writable, gone: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      for (const event of ['drain', 'close']) output.removeListener(event, done);
      gone.removeEventListener('abort', done);
      resolve();
    };
    for (const event of ['drain', 'close']) output.once(event, done);
    gone.addEventListener('abort', done, { once: true });
    if (gone.aborted || output.destroyed) done();
  });
}
