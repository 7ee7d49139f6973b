/** Something that the user has to know and can change; printed without a stack. */
export class CliError extends Error {
  /** Stable: `USAGE`, `NOT_FOUND`, `UNREACHABLE`, `BAD_ANSWER`, `LAB`. */
  readonly code: 'USAGE' | 'NOT_FOUND' | 'UNREACHABLE' | 'BAD_ANSWER' | 'LAB';
  /** Of the process: 2 for a wrong use, else 1. */
  readonly exitCode: number;

  /** @param message what is wrong, and behind a semicolon what to do */
  constructor(code: CliError['code'], message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'CliError';
    this.code = code;
    this.exitCode = code === 'USAGE' ? 2 : 1;
  }
}
