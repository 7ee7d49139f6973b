import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { text } from 'node:stream/consumers';
import type { NetworkNamespace } from './namespace.ts';

/** A tool that does not come to an end (a lock that is held for ever) is killed after this. */
const DEADLINE_MS = 15_000;

export interface ToolOptions {
  /** Written to standard input; without it standard input is empty. */
  readonly input?: string;
  /** Namespace to run in; default the one that the thread is in. */
  readonly namespace?: NetworkNamespace | undefined;
  /** Milliseconds until it is killed. */
  readonly deadlineMs?: number;
}

/** How the run of a tool came out. */
export type ToolOutcome =
  /** It gave 0; `output` is what it wrote to standard output. */
  | { readonly kind: 'done'; readonly output: string }
  /** `how` says by which code or signal it ended, `said` is its standard error. */
  | { readonly kind: 'failed'; readonly how: string; readonly said: string }
  /** It was never started, most likely because the machine or image does not have it. */
  | { readonly kind: 'not-started'; readonly cause: unknown };

/**
 * Runs one of the system's tools (`ip`, `nft`, `iptables-restore`) to its end. How it came out is for the caller to judge: who
 * has to mend what differs from part to part.
 *
 * @param argv program, found by PATH, and its arguments
 * @throws SystemError, MisuseError if the namespace cannot be entered
 */
export async function runTool(
  argv: readonly [string, ...string[]],
  options: ToolOptions = {},
): Promise<ToolOutcome> {
  const { namespace, input = '', deadlineMs = DEADLINE_MS } = options;
  const [program, ...args] = argv;
  const start = (): ChildProcess =>
    spawn(program, args, { stdio: 'pipe', timeout: deadlineMs, killSignal: 'SIGKILL' });
  // The child is forked before `start` returns, and stays in the namespace that the thread was in.
  const child = namespace === undefined ? start() : namespace.enter(start);
  const ended = once(child, 'close') as Promise<[code: number | null, signal: NodeJS.Signals | null]>;
  // Without a descriptor left there are no streams either.
  child.stdin?.on('error', () => undefined); // a tool that rejects its input may end without reading it all
  child.stdin?.end(input);
  try {
    const [[code, signal], output, said] = await Promise.all([
      ended,
      child.stdout ? text(child.stdout) : '',
      child.stderr ? text(child.stderr) : '',
    ]);
    if (code === 0) return { kind: 'done', output };
    const how = code === null ? `was ended by ${signal!} (it may take ${deadlineMs} ms)` : `gave ${code}`;
    return { kind: 'failed', how, said: said.trim() };
  } catch (cause) {
    return { kind: 'not-started', cause };
  }
}
