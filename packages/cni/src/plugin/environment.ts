import { CniError, cniCodes } from './errors.ts';

export const commands = ['ADD', 'DEL', 'CHECK', 'GC', 'STATUS', 'VERSION'] as const;
export type Command = (typeof commands)[number];

/** What a runtime says of the call in its environment (CNI 1.1, "Parameters"). */
export interface Call {
  readonly command: Command;
  /** Path of the pod's network namespace; empty where the command has none. */
  readonly netns: string;
  /** Of Kubernetes; undefined when another runtime calls. */
  readonly pod: { readonly name: string; readonly namespace: string } | undefined;
}

/** @throws CniError 4 naming the variables */
export function readCall(get: (name: string) => string | undefined): Call {
  const command = commands.find((name) => name === get('CNI_COMMAND'));
  if (command === undefined)
    throw invalid(
      'CNI_COMMAND',
      `must be one of ${commands.join(', ')}: this program is started by a container runtime`,
    );
  const netns = get('CNI_NETNS') ?? '';
  if (command === 'ADD') {
    const missing = ['CNI_CONTAINERID', 'CNI_NETNS', 'CNI_IFNAME'].filter((name) => (get(name) ?? '') === '');
    if (missing.length > 0) throw invalid(missing.join(', '), 'must be set');
  }
  return { command, netns, pod: readPod(get('CNI_ARGS') ?? '') };
}

/** `K8S_POD_NAME=…;K8S_POD_NAMESPACE=…` among other pairs. */
function readPod(args: string): Call['pod'] {
  const values = new Map<string, string>();
  for (const pair of args.split(';')) {
    const at = pair.indexOf('=');
    if (at > 0) values.set(pair.slice(0, at), pair.slice(at + 1));
  }
  const name = values.get('K8S_POD_NAME') ?? '';
  const namespace = values.get('K8S_POD_NAMESPACE') ?? '';
  if (name === '' || namespace === '') return undefined;
  for (const text of [name, namespace])
    if (!/^[a-z0-9]([a-z0-9.-]*[a-z0-9])?$/.test(text))
      throw invalid('CNI_ARGS', `names a pod ${JSON.stringify(text)} that Kubernetes cannot have`);
  return { name, namespace };
}

function invalid(names: string, problem: string): CniError {
  return new CniError(cniCodes.invalidEnvironment, `${names} ${problem}`, 'see the container runtime');
}
