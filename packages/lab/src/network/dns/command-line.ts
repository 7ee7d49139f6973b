import { isIP } from 'node:net';
import { parseArgs } from 'node:util';

import type { ProgramCommand } from '../../program.ts';
import type { Upstream } from './forwarder.ts';

/** What the program `lab-dns` is asked to do. */
export interface DnsProgramOptions {
  /** Undefined: the service account of the pod. */
  readonly kubeconfig: string | undefined;
  readonly zoneName: string;
  readonly upstreams: readonly Upstream[];
  readonly port: number;
  readonly readyPort: number;
}

const help = `lab-dns: the DNS server of a lab's cluster

usage: lab-dns [options]

  --zone NAME           of the cluster (cluster.local)
  --upstream ADDRESS    asked for other names, may be repeated; without any they are refused
  --port PORT           UDP and TCP (53)
  --ready-port PORT     GET /ready there says whether the zone is known (8181)
  --kubeconfig FILE     default: the service account of the pod
  --help                prints this
`;

/** @param words without the program's name */
export function parseDnsCommandLine(words: readonly string[]): ProgramCommand<DnsProgramOptions> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...words],
      options: {
        zone: { type: 'string', default: 'cluster.local' },
        upstream: { type: 'string', multiple: true, default: [] },
        port: { type: 'string', default: '53' },
        'ready-port': { type: 'string', default: '8181' },
        kubeconfig: { type: 'string' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return { kind: 'wrong', problem: (error as Error).message };
  }
  if (values.help) return { kind: 'help', text: help };
  for (const name of ['port', 'ready-port'] as const)
    if (!/^\d+$/.test(values[name]) || Number(values[name]) > 65_535)
      return { kind: 'wrong', problem: `--${name} ${values[name]}: not a port from 0 to 65535` };
  const wrong = values.upstream.find((address) => isIP(address) === 0);
  if (wrong !== undefined) return { kind: 'wrong', problem: `--upstream ${wrong}: no IP address` };
  return {
    kind: 'run',
    options: {
      kubeconfig: values.kubeconfig,
      zoneName: values.zone,
      upstreams: values.upstream.map((address) => ({ address, port: 53 })),
      port: Number(values.port),
      readyPort: Number(values['ready-port']),
    },
  };
}
