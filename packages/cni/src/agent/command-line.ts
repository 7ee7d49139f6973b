import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Command =
  | { readonly kind: 'run' }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  /** Loads every module once, so that later starts find them compiled; for images. */
  | { readonly kind: 'compile' }
  | { readonly kind: 'wrong'; readonly problem: string };

/** Reads the arguments after the program's name. */
export function parseCommandLine(args: readonly string[]): Command {
  if (args[0] === 'compile') return { kind: 'compile' };
  try {
    const { values } = parseArgs({
      args: [...args],
      options: { help: { type: 'boolean', short: 'h' }, version: { type: 'boolean', short: 'v' } },
    });
    if (values.help === true) return { kind: 'help' };
    return values.version === true ? { kind: 'version' } : { kind: 'run' };
  } catch (error) {
    // What parseArgs throws is a TypeError whose text names the argument.
    return { kind: 'wrong', problem: (error as Error).message };
  }
}

/** Text of `--help`. */
export const helpText = `usage: install-cni

The node agent of an ambient mesh: installs the CNI plugin on its node, redirects the traffic of the pods that belong to the
mesh, and hands their network namespaces to ztunnel. Runs once a node, as root with the capabilities NET_ADMIN, NET_RAW,
SYS_ADMIN and SYS_PTRACE.

options:
  -h, --help            show this text
  -v, --version         show the version

Everything else is set by the environment; docs/cni-settings.md lists every variable.

signals: SIGTERM and SIGINT end it. Pods stay captured; the plugin stays installed if another agent follows.
exit codes: 0 after an orderly end, 1 if it could not start or go on.
`;
