import { parseArgs } from 'node:util';
import type { CommonCommand } from '@ambient/runtime/entry';

/** What the command line asks for. */
export type Command =
  /** @property overrides variables that count instead of those of the environment */
  { readonly kind: 'run'; readonly overrides: Readonly<Record<string, string>> } | CommonCommand;

/** Reads the arguments after the program's name. */
export function parseCommandLine(args: readonly string[]): Command {
  if (args[0] === 'compile') return { kind: 'compile' };
  try {
    const { values } = parseArgs({
      args: [...args],
      options: {
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
        log_output_level: { type: 'string' },
        log_as_json: { type: 'boolean' },
      },
    });
    if (values.help === true) return { kind: 'help', text: helpText };
    if (values.version === true) return { kind: 'version' };
    const format = values.log_as_json === true ? { LOG_FORMAT: 'json' } : {};
    return { kind: 'run', overrides: { ...levelSettings(values.log_output_level ?? ''), ...format } };
  } catch (error) {
    // What parseArgs throws is a TypeError whose text names the argument.
    return { kind: 'wrong', problem: (error as Error).message };
  }
}

/** Scopes of Istio's agent that are all of ours, and the one by which its plugin goes. */
const wholeAgent = new Set(['default', 'all', 'cni', 'cni-agent']);
const pluginScope = 'cni-plugin';

/** Levels as Istio's charts pass them: LEVEL, or SCOPE:LEVEL separated by commas. Other scopes are Istio's own. */
function levelSettings(text: string): Readonly<Record<string, string>> {
  const settings: Record<string, string> = {};
  for (const part of text.split(',').map((each) => each.trim())) {
    const colon = part.indexOf(':');
    const scope = colon < 0 ? 'default' : part.slice(0, colon);
    const word = part.slice(colon + 1);
    const level = word === 'none' ? 'off' : word === 'fatal' ? 'error' : word;
    if (level === '') continue;
    if (wholeAgent.has(scope)) settings['LOG_LEVEL'] = level;
    if (scope === pluginScope || scope === 'all')
      settings['PLUGIN_LOG_LEVEL'] = level === 'off' ? 'error' : level;
  }
  return settings;
}

/** Text of `--help`. */
const helpText = `usage: install-cni

The node agent of an ambient mesh: installs the CNI plugin on its node, redirects the traffic of the pods that belong to the
mesh, and hands their network namespaces to ztunnel. Runs once a node, as root with the capabilities NET_ADMIN, NET_RAW,
SYS_ADMIN and SYS_PTRACE.

options:
  -h, --help            show this text
  -v, --version         show the version
  --log_output_level L  as Istio's charts pass it: LEVEL, or SCOPE:LEVEL separated by commas
  --log_as_json         the same as LOG_FORMAT=json

Everything else is set by the environment; docs/cni-settings.md lists every variable.

signals: SIGTERM and SIGINT end it. Pods stay captured; the plugin stays installed if another agent follows.
exit codes: 0 after an orderly end, 1 if it could not start or go on.
`;
