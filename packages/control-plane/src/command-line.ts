import { parseArgs } from 'node:util';

/** What the command line asks for. */
export type Command =
  /** `overrides` are settings that flags give, by the names of their variables. */
  | { readonly kind: 'run'; readonly overrides: ReadonlyMap<string, string> }
  | { readonly kind: 'help' }
  | { readonly kind: 'version' }
  | { readonly kind: 'wrong'; readonly problem: string };

/** Flags that stand for a setting. */
const flags = {
  kubeconfig: 'KUBECONFIG',
  'plaintext-xds': 'PLAINTEXT_XDS_ADDRESS',
  'cluster-id': 'CLUSTER_ID',
  domain: 'CLUSTER_DOMAIN',
} as const;

/** Reads the arguments after the program's name; a first word `discovery`, which istiod's chart passes, is passed over. */
export function parseCommandLine(args: readonly string[]): Command {
  const given = args[0] === 'discovery' ? args.slice(1) : [...args];
  try {
    const { values } = parseArgs({
      args: given,
      options: {
        kubeconfig: { type: 'string' },
        'plaintext-xds': { type: 'string' },
        'cluster-id': { type: 'string' },
        domain: { type: 'string' },
        help: { type: 'boolean', short: 'h' },
        version: { type: 'boolean', short: 'v' },
      },
    });
    if (values.help === true) return { kind: 'help' };
    if (values.version === true) return { kind: 'version' };
    const overrides = new Map<string, string>();
    for (const [flag, variable] of Object.entries(flags)) {
      const value = values[flag as keyof typeof flags];
      if (value !== undefined) overrides.set(variable, value);
    }
    return { kind: 'run', overrides };
  } catch (error) {
    return { kind: 'wrong', problem: (error as Error).message };
  }
}

/** Text of `--help`. */
export const helpText = `usage: control-plane [discovery] [options]

The control plane of an ambient mesh: reads a cluster from the Kubernetes API, tells proxies what is in it (discovery), and
signs their certificates. It works with istio.io's and the Gateway API's objects as they are.

options:
  --kubeconfig FILE     API server to use; without it that of the cluster it runs in
  --plaintext-xds ADDR  also serve discovery without TLS and authentication, such as 127.0.0.1:15010; for debugging
  --cluster-id ID       name of the cluster (Kubernetes)
  --domain DOMAIN       DNS domain of the cluster (cluster.local)
  -h, --help            show this text
  -v, --version         show the version

Everything else is set by the environment; docs/control-plane-settings.md lists every variable.

signals: SIGTERM and SIGINT end it: streams are closed cleanly, the lead is given back.
exit codes: 0 after an orderly end, 1 if it could not start or go on.
`;
