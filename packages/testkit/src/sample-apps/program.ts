import type { Server } from 'node:net';
import { parseArgs } from 'node:util';

/** What every sample program shares: `--name value` options, one line when ready, results as one JSON line each. */
export interface ProgramOptions {
  text(name: string, fallback?: string): string;
  number(name: string, fallback?: number): number;
}

/** Parses the options of this process; an unknown option, a missing one or a bad number ends the program with code 2. */
export function programOptions(names: readonly string[]): ProgramOptions {
  const values = readValues(names);
  const text = (name: string, fallback?: string): string => {
    const value = values[name] ?? fallback;
    return value ?? usage(`--${name} is missing`);
  };
  return {
    text,
    number(name, fallback) {
      const value = text(name, fallback?.toString());
      const parsed = Number(value);
      return Number.isFinite(parsed) ? parsed : usage(`--${name} ${value}: not a number`);
    },
  };
}

/** Prints a result for the test that started the program. */
export function report(result: Readonly<Record<string, unknown>>): void {
  process.stdout.write(`${JSON.stringify(result)}\n`);
}

/** Listens on the port on all addresses of both families and prints `ready PORT`; a port in use ends the program. */
export function serve(server: Server, port: number): void {
  server.on('error', (error) => {
    process.stderr.write(`cannot listen on port ${port}: ${error.message}\n`);
    process.exit(1);
  });
  server.listen({ port, host: '::', backlog: 4096 }, () => process.stdout.write(`ready ${port}\n`));
}

function readValues(names: readonly string[]): Readonly<Record<string, string | undefined>> {
  const options = Object.fromEntries(names.map((name) => [name, { type: 'string' as const }]));
  try {
    return parseArgs({ options, allowPositionals: false }).values;
  } catch (error) {
    return usage(error instanceof Error ? error.message : String(error));
  }
}

function usage(message: string): never {
  process.stderr.write(`${message}\n`);
  process.exit(2);
}
