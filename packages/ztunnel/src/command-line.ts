import type { CommonCommand } from '@ambient/runtime/entry';

/** What the command line asks for. */
export type Command = { readonly kind: 'run' } | CommonCommand;

/** Reads the arguments after the program's name. `proxy ztunnel`, which Istio's charts pass, means to run. */
export function parseCommandLine(args: readonly string[]): Command {
  const prefix = args[0] !== 'proxy' ? 0 : args[1] === 'ztunnel' ? 2 : 1;
  const argument = args[prefix];
  switch (argument) {
    case undefined:
      return { kind: 'run' };
    case '--help':
    case '-h':
    case 'help':
      return { kind: 'help', text: helpText };
    case '--version':
    case '-v':
    case 'version':
      return { kind: 'version' };
    case 'compile':
      return { kind: 'compile' };
    default:
      return {
        kind: 'wrong',
        problem: `${JSON.stringify(argument)} is not understood; settings come from the environment`,
      };
  }
}

/** Text of `--help`. */
const helpText = `usage: ztunnel [proxy [ztunnel]]

The node proxy of an ambient mesh: carries the traffic of pods over HBONE, with mutual TLS.
It is configured by its environment; docs/settings.md lists every variable. To try it on a laptop:

  PROXY_MODE=dedicated PROXY_WORKLOAD_INFO=default/client/default NODE_NAME=local \\
  LOCAL_XDS_PATH=mesh.yaml XDS_ADDRESS= FAKE_CA=true FAKE_CA_DIR=/tmp/mesh-ca ztunnel

options:
  -h, --help      show this text
  -v, --version   show the version

signals: SIGTERM and SIGINT end it gracefully, a second one at once.
exit codes: 0 after an orderly end, 1 if it could not start or go on.
`;
