// What the command lines of the benchmarks have in common.
import { parseArgs } from 'node:util';
import type { ParseArgsOptionsConfig } from 'node:util';

/** An option that cannot be meant; the text is for the person who typed it. */
export class UsageError extends Error {
  override readonly name = 'UsageError';
  readonly code = 'ERR_BENCH_USAGE';
}

type Values<O extends ParseArgsOptionsConfig> = ReturnType<
  typeof parseArgs<{ args: string[]; options: O }>
>['values'];

/** The values of options; nothing else may stand between them. @throws UsageError */
export function parseArguments<O extends ParseArgsOptionsConfig>(
  argv: readonly string[],
  options: O,
): Values<O> {
  try {
    return parseArgs({ args: [...argv], options }).values;
  } catch (cause) {
    throw new UsageError(cause instanceof Error ? cause.message : String(cause), { cause });
  }
}

/** @throws UsageError for anything but a whole number from 1 on */
export function wholeNumber(option: string, text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1)
    throw new UsageError(`--${option} ${text}: give a whole number from 1 on`);
  return value;
}

/** The names of a list that is separated by commas. @throws UsageError naming one that is not `known` */
export function knownNames<Name extends string>(
  option: string,
  text: string,
  known: readonly Name[],
): readonly Name[] {
  return text.split(',').map((name) => {
    const found = known.find((each) => each === name);
    if (found === undefined) throw new UsageError(`--${option} ${name}: there are ${known.join(', ')}`);
    return found;
  });
}
