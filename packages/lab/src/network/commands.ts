import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { NetworkNamespace } from '@ambient/linux';

import { LabNetworkError } from './errors.ts';

/** A tool that does not come to an end is killed after this. */
const deadlineMs = 15_000;

/**
 * Runs one of the system's tools to its end, inside a network namespace.
 *
 * @param step what it is for, as it stands in errors
 * @returns its standard output
 * @throws LabNetworkError LAB_NETWORK_TOOL, LAB_NETWORK_STEP with what the tool printed
 */
export async function runInNamespace(
  namespace: NetworkNamespace,
  step: string,
  argv: readonly [string, ...string[]],
  input = '',
): Promise<string> {
  const [program, ...args] = argv;
  // The child is forked before `enter` returns, and stays in the namespace that the thread was in.
  const child = namespace.enter((): ChildProcess =>
    spawn(program, args, { stdio: 'pipe', timeout: deadlineMs, killSignal: 'SIGKILL' }),
  );
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal!));
  });
  child.stdin!.on('error', () => undefined); // a tool that rejects its input may end without reading it all
  child.stdin!.end(input);
  const [end, stdout, stderr] = await Promise.all([ended, text(child.stdout!), text(child.stderr!)]).catch(
    (cause: unknown) => {
      throw new LabNetworkError('LAB_NETWORK_TOOL', `${step}: cannot run ${program}; install it`, { cause });
    },
  );
  if (end === 0) return stdout;
  const how = typeof end === 'number' ? `gave ${end}` : `was ended by ${end}`;
  throw new LabNetworkError('LAB_NETWORK_STEP', `${step}: ${argv.join(' ')} ${how}: ${stderr.trim()}`);
}
