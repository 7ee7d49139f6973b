// The program of a container's first process: it makes the container's root, moves into it and becomes the command.
import type { MountStep } from './mount-plan.ts';
import { machineDirectory } from './mount-plan.ts';

export interface ScriptOptions {
  readonly steps: readonly MountStep[];
  /** An empty directory of the machine that the new root is built over, unseen by others. */
  readonly stage: string;
  /** The root's own file system becomes read-only, where the kernel allows that. */
  readonly readOnlyRoot: boolean;
  /** The process has a process namespace of its own: /proc becomes that one's. */
  readonly ownProc: boolean;
  /** Undefined: the root. */
  readonly workingDirectory: string | undefined;
  readonly user: { readonly uid: number; readonly gid: number } | undefined;
  readonly environment: ReadonlyMap<string, string>;
  readonly command: readonly string[];
}

const systemPath = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin';

/**
 * For `sh -c`. Descriptor 3 hears `pid N` (as the machine's /proc counts), then of what fails, or `go` when the command takes
 * over; standard output and error are the command's own.
 */
export function containerScript(options: ScriptOptions): string {
  const { stage, ownProc, workingDirectory } = options;
  const root = quoted(stage);
  const lines = [
    'set -eu',
    'exec 4>&2 2>&3',
    `PATH=${systemPath}`,
    'read -r pid rest < /proc/self/stat',
    'echo "pid $pid" >&3',
    `root=${root}`,
    ...options.steps.flatMap((step) => stepLines(step, options.readOnlyRoot)),
    ...(ownProc ? ['mount -t proc proc "$root/proc"'] : []),
    ...(options.readOnlyRoot ? [remountReadOnly('"$root"')] : []),
    'cd "$root"',
    'pivot_root . .',
    'umount -l .',
    `cd ${quoted(workingDirectory ?? '/')}`,
    'echo go >&3',
    'exec 2>&4 3>&- 4>&-',
    `exec ${commandWords(options).map(quoted).join(' ')}`,
  ];
  return lines.join('\n');
}

/** The words that run a command with its user and environment, and end it with its parent. */
export function commandWords({
  user,
  environment,
  command,
}: Pick<ScriptOptions, 'user' | 'environment' | 'command'>): string[] {
  const as = user === undefined ? [] : [`--reuid=${user.uid}`, `--regid=${user.gid}`, '--clear-groups'];
  const variables = [...environment].map(([name, value]) => `${name}=${value}`);
  return ['setpriv', ...as, '--pdeathsig=KILL', '--', 'env', '-i', ...variables, ...command];
}

/** One word of a shell, whatever is in it. */
export function quoted(text: string): string {
  return /^[\w@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

/** The whole root, which is closed last, and what the kernel itself guards. */
const writableTrees = new Set(['', '/proc', '/sys', '/dev']);

/** A namespace of users may not change what its maker has fixed; the files then keep what protection they have. */
function remountReadOnly(target: string): string {
  return `mount -o remount,bind,ro ${target} 2>/dev/null || :`;
}

function stepLines(step: MountStep, readOnlyTrees: boolean): string[] {
  const target = `"$root"${step.target === '' ? '' : quoted(step.target)}`;
  switch (step.do) {
    case 'bind-tree':
      return [
        `mount --rbind ${quoted(step.source)} ${target}`,
        ...(readOnlyTrees && !writableTrees.has(step.target) ? [remountReadOnly(target)] : []),
      ];
    case 'bind':
      return [
        `mount --rbind ${quoted(step.source)} ${target}`,
        ...(step.readOnly ? [remountReadOnly(target)] : []),
      ];
    case 'tmpfs':
      return [`mount -t tmpfs -o mode=${step.mode} tmpfs ${target}`];
    case 'mkdir':
      return [`mkdir -p ${target}`];
    case 'touch':
      return [`: >> ${target}`];
    case 'link':
      return [`ln -s ${quoted(step.to)} ${target}`];
    case 'link-entries': {
      const except = step.except.map((name) => `${quoted(name)}`).join('|');
      const skip = except === '' ? '' : `case "$name" in ${except}) continue ;; esac; `;
      return [
        'set --',
        `for entry in ${quoted(step.source)}/* ${quoted(step.source)}/.[!.]*; do name=\${entry##*/}; ${skip}` +
          `if [ -e "$entry" ] || [ -L "$entry" ]; then set -- "$@" ${quoted(machineDirectory)}"$entry"; fi; done`,
        `[ $# = 0 ] || ln -s -t ${target} -- "$@"`,
      ];
    }
  }
}
