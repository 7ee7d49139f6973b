import type { Readable } from 'node:stream';

import type { Clock } from '@ambient/runtime';

import type { CliSettings } from './settings.ts';

/** What a command has of the world; tests give their own. */
export interface CliContext {
  /** Written as it is. */
  readonly out: (text: string) => void;
  /** For progress and warnings. */
  readonly err: (text: string) => void;
  /** Undefined: the output is no terminal. */
  readonly terminal: { readonly columns: number; readonly rows: number } | undefined;
  readonly clock: Clock;
  readonly settings: CliSettings;
  /** Aborted by Ctrl-C, for what runs until then. */
  readonly interrupted: AbortSignal;
  /** Whole text of a file; `-` is the standard input. */
  readonly readFile: (path: string) => Promise<string>;
  readonly stdin: Readable & { unref?(): unknown };
  /** Of the terminal: keys go to the program in the pod. */
  readonly setRawMode?: (on: boolean) => void;
  /** In place of the lab's program, for tests. */
  readonly labProgram?: string;
  /** The exit code of the process when it ends; errors set it too. */
  readonly setExitCode: (code: number) => void;
}

/** Options of every command. */
export interface GlobalOptions {
  readonly kubeconfig?: string;
  readonly context?: string;
  readonly namespace?: string;
  /** Where ztunnel and the control plane are. */
  readonly istioNamespace: string;
}
