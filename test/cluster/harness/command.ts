import { spawn } from 'node:child_process';
import { text } from 'node:stream/consumers';

import { environment } from './environment.ts';

export interface CommandOptions {
  /** Written to standard input. */
  readonly input?: string;
  readonly timeoutMs?: number;
}

const DEADLINE_MS = 60_000;

/** A command that ended with another exit code than 0; the text holds what it printed. */
export class CommandError extends Error {
  override readonly name = 'CommandError';
  readonly code = 'ERR_TEST_COMMAND';
}

/** @returns standard output @throws CommandError */
export async function run(
  argv: readonly [string, ...string[]],
  { input = '', timeoutMs = DEADLINE_MS }: CommandOptions = {},
): Promise<string> {
  const [program, ...args] = argv;
  const child = spawn(program, args, { stdio: 'pipe', timeout: timeoutMs, killSignal: 'SIGKILL' });
  const ended = new Promise<string>((resolve, reject) => {
    child.once('error', (cause) => reject(new CommandError(`cannot run ${program}`, { cause })));
    child.once('close', (code, signal) => resolve(String(code ?? signal)));
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(input);
  const [end, stdout, stderr] = await Promise.all([ended, text(child.stdout), text(child.stderr)]);
  if (end === '0') return stdout;
  throw new CommandError(
    `${argv.join(' ').slice(0, 300)} gave ${end}: ${`${stdout}\n${stderr}`.slice(-2000)}`,
  );
}

/** @returns standard output @throws CommandError */
export function kubectl(args: readonly string[], options?: CommandOptions): Promise<string> {
  return run([environment.kubectl, ...args], options);
}

/** An object as a test writes it. */
export type Manifest = {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: Readonly<Record<string, unknown>>;
} & Readonly<Record<string, unknown>>;

/** @throws CommandError */
export async function apply(...items: readonly Manifest[]): Promise<void> {
  const list = { apiVersion: 'v1', kind: 'List', items };
  await kubectl(['apply', '--filename', '-'], { input: JSON.stringify(list) });
}

/** @throws CommandError */
export async function get<T>(args: readonly string[]): Promise<T> {
  return JSON.parse(await kubectl(['get', ...args, '--output', 'json'])) as T;
}

/** Runs a program in a pod's first container. @throws CommandError */
export function execIn(
  namespace: string,
  pod: string,
  argv: readonly string[],
  options?: CommandOptions,
): Promise<string> {
  return kubectl(['--namespace', namespace, 'exec', '--stdin', pod, '--', ...argv], options);
}
