import { parseArgs } from 'node:util';

import type { ProgramCommand } from './program.ts';

/** What the program `lab-api` is asked to do. */
export interface LabProgramOptions {
  readonly host: string;
  /** 0: any that is free. */
  readonly port: number;
  /** Undefined: everything ends with the process. */
  readonly dataDir: string | undefined;
  /** Folder with YAML files of what is to be there from the start. */
  readonly crdFolder: string | undefined;
  /** Where the kubeconfig of an administrator is written. */
  readonly kubeconfig: string;
}

const help = `lab-api: a Kubernetes API for one machine, to try things on

usage: lab-api [options]

  --host ADDRESS      where it listens (127.0.0.1)
  --port PORT         0 takes one that is free (6443)
  --data DIR          keeps objects and keys there; without it, they end with the process
  --crds DIR          loads the YAML files of this folder, such as charts/base/crds
  --kubeconfig FILE   writes a kubeconfig of somebody who may do everything (kubeconfig)
  --help              prints this

then: kubectl --kubeconfig FILE get namespaces

Whoever has a token or a certificate may do everything. There are no nodes: pods stay Pending.
`;

/** @param words without the program's name */
export function parseLabCommandLine(words: readonly string[]): ProgramCommand<LabProgramOptions> {
  let values;
  try {
    ({ values } = parseArgs({
      args: [...words],
      options: {
        host: { type: 'string', default: '127.0.0.1' },
        port: { type: 'string', default: '6443' },
        data: { type: 'string' },
        crds: { type: 'string' },
        kubeconfig: { type: 'string', default: 'kubeconfig' },
        help: { type: 'boolean', short: 'h', default: false },
      },
    }));
  } catch (error) {
    return { kind: 'wrong', problem: (error as Error).message };
  }
  if (values.help) return { kind: 'help', text: help };
  const port = Number(values.port);
  if (!/^\d+$/.test(values.port) || port > 65_535)
    return { kind: 'wrong', problem: `--port ${values.port}: not a port from 0 to 65535` };
  return {
    kind: 'run',
    options: {
      host: values.host,
      port,
      dataDir: values.data,
      crdFolder: values.crds,
      kubeconfig: values.kubeconfig,
    },
  };
}
