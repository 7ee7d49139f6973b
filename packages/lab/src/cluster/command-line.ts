import { parseArgs } from 'node:util';

export interface LabRun {
  readonly name: string;
  readonly directory: string;
  readonly nodes: number;
  readonly ipv6: boolean;
  readonly mtu: number | undefined;
  readonly mesh: boolean;
  readonly samples: boolean;
  /** Where progress is told as JSON lines; undefined: on standard error, as text. */
  readonly readyFd: number | undefined;
  /** Given by the outer half of the program to the one in the namespaces: how the API is reached from outside. */
  readonly publicUrl: string | undefined;
}

export type LabCommand =
  | { readonly kind: 'run'; readonly run: LabRun }
  | { readonly kind: 'help' }
  | { readonly kind: 'wrong'; readonly problem: string };

const mostNodes = 16;

export const helpText = `usage: lab run --directory DIR [options]

A Kubernetes cluster on this machine, with the mesh in it: nodes and pods are network namespaces and processes that end with
this program. It stays until SIGTERM or SIGINT. ambientctl lab up is the comfortable way to start it.

options:
  --name NAME       for messages (lab)
  --directory DIR   where the cluster keeps its files, kubeconfig among them
  --nodes COUNT     1 to ${mostNodes} (2)
  --ipv4-only       without IPv6
  --mtu BYTES       of every link, 1280 to 9000 (1500)
  --no-mesh         without control plane, node agents and node proxies
  --no-samples      without the sample shop
  --ready-fd FD     where progress is told, one JSON object a line
  -h, --help        show this text

exit codes: 0 after an orderly end, 1 if it could not start or go on, 2 for a wrong command line.
`;

/** Reads the arguments after the program's name. */
export function parseLabCommand(args: readonly string[]): LabCommand {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        name: { type: 'string', default: 'lab' },
        directory: { type: 'string' },
        nodes: { type: 'string', default: '2' },
        'ipv4-only': { type: 'boolean', default: false },
        mtu: { type: 'string' },
        'no-mesh': { type: 'boolean', default: false },
        'no-samples': { type: 'boolean', default: false },
        'ready-fd': { type: 'string' },
        'public-url': { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    });
    if (values.help) return { kind: 'help' };
    if (positionals.length !== 1 || positionals[0] !== 'run') return wrong('the one command is run');
    if (values.directory === undefined) return wrong('--directory is missing');
    const nodes = whole(values.nodes);
    if (nodes === undefined || nodes < 1 || nodes > mostNodes)
      return wrong(`--nodes ${values.nodes}: from 1 to ${mostNodes}`);
    const mtu = values.mtu === undefined ? undefined : whole(values.mtu);
    if (values.mtu !== undefined && mtu === undefined) return wrong(`--mtu ${values.mtu}: a number of bytes`);
    const readyFd = values['ready-fd'] === undefined ? undefined : whole(values['ready-fd']);
    if (values['ready-fd'] !== undefined && readyFd === undefined)
      return wrong(`--ready-fd ${values['ready-fd']}: the number of an open descriptor`);
    return {
      kind: 'run',
      run: {
        name: values.name,
        directory: values.directory,
        nodes,
        ipv6: !values['ipv4-only'],
        mtu,
        mesh: !values['no-mesh'],
        samples: !values['no-samples'],
        readyFd,
        publicUrl: values['public-url'],
      },
    };
  } catch (error) {
    // What parseArgs throws is a TypeError whose text names the argument.
    return wrong((error as Error).message);
  }
}

function wrong(problem: string): LabCommand {
  return { kind: 'wrong', problem };
}

function whole(text: string): number | undefined {
  return /^\d{1,6}$/.test(text) ? Number(text) : undefined;
}
