import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { text } from 'node:stream/consumers';
import type { NetworkNamespace } from '@ambient/linux';
import { RulesError } from './errors.ts';

export interface CommandOptions {
  /** Written to standard input; without it standard input is empty. */
  readonly input?: string;
  /** Namespace to run in; default the agent's own. */
  readonly namespace?: NetworkNamespace | undefined;
}

/** A tool that does not come to an end (a lock that is held for ever) is killed after this. */
const DEADLINE_MS = 15_000;

/**
 * Runs one of the system's tools to its end.
 * @param step what it is for, as an operator would say it: appears in errors
 * @returns its standard output
 * @throws RulesError ERR_RULES_TOOL_MISSING, ERR_RULES_STEP with what the tool printed
 */
export async function runCommand(
  step: string,
  argv: readonly [string, ...string[]],
  options: CommandOptions = {},
): Promise<string> {
  const { namespace, input = '' } = options;
  const [program, ...args] = argv;
  const start = (): ChildProcess =>
    spawn(program, args, { stdio: 'pipe', timeout: DEADLINE_MS, killSignal: 'SIGKILL' });
  // The child is forked before `start` returns, and stays in the namespace that the thread was in.
  const child = namespace === undefined ? start() : namespace.enter(start);
  const ended = new Promise<number | NodeJS.Signals>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => resolve(code ?? signal!));
  });
  child.stdin!.on('error', () => undefined); // a tool that rejects its input may end without reading it all
  child.stdin!.end(input);
  const [end, stdout, stderr] = await Promise.all([ended, text(child.stdout!), text(child.stderr!)]).catch(
    (cause: unknown) => {
      throw new RulesError(
        'ERR_RULES_TOOL_MISSING',
        `${step}: cannot run ${program}; the agent's image must hold it`,
        { cause },
      );
    },
  );
  if (end === 0) return stdout;
  const how = typeof end === 'number' ? `gave ${end}` : `was ended by ${end} (it may take ${DEADLINE_MS} ms)`;
  throw new RulesError('ERR_RULES_STEP', `${step}: ${argv.join(' ')} ${how}: ${stderr.trim()}`);
}
