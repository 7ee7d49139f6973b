/** What a client is told in the end, on the error channel: a `metav1.Status` (protocol v4 of remote commands and later). */
export interface CommandStatus {
  readonly metadata: Record<string, never>;
  readonly status: 'Success' | 'Failure';
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly causes: readonly { readonly reason: string; readonly message: string }[] };
}

export const commandSucceeded: CommandStatus = { metadata: {}, status: 'Success' };

/** The program could not be started, or not be watched. */
export function commandFailed(message: string): CommandStatus {
  return { metadata: {}, status: 'Failure', reason: 'InternalError', message, code: 500 };
}

/** @param code of the exit; undefined after a signal */
export function exitStatus(code: number | null, signalNumber: number | undefined): CommandStatus {
  const exitCode = code ?? 128 + (signalNumber ?? 0);
  if (exitCode === 0) return commandSucceeded;
  return {
    metadata: {},
    status: 'Failure',
    reason: 'NonZeroExitCode',
    message: `command terminated with non-zero exit code: ${exitCode}`,
    details: { causes: [{ reason: 'ExitCode', message: String(exitCode) }] },
  };
}
