// What the small programs of the lab have in common.

/** What a command line comes to. */
export type ProgramCommand<Options> =
  | { readonly kind: 'run'; readonly options: Options }
  | { readonly kind: 'help'; readonly text: string }
  | { readonly kind: 'wrong'; readonly problem: string };

/** Does what a command line says. What goes wrong is told in one line, by the program's name, and its exit code is 1. */
export async function runProgram<Options>(
  name: string,
  command: ProgramCommand<Options>,
  run: (options: Options) => Promise<void>,
): Promise<void> {
  const fail = (text: string): void => {
    process.stderr.write(`${name}: ${text}\n`);
    process.exitCode = 1;
  };
  switch (command.kind) {
    case 'help':
      process.stdout.write(command.text);
      break;
    case 'wrong':
      fail(`${command.problem}; see --help`);
      break;
    case 'run':
      await run(command.options).catch((error: unknown) => fail((error as Error).message));
  }
}

/** Settles when the program is asked to end, by SIGINT or SIGTERM. */
export async function endSignal(): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  process.once('SIGINT', () => resolve());
  process.once('SIGTERM', () => resolve());
  await promise;
}
