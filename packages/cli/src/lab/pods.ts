import { PassThrough } from 'node:stream';
import { finished } from 'node:stream/promises';

import { builtInPath } from '@ambient/kube';
import type { Pod } from '@ambient/kube';
import { Exec, Log } from '@kubernetes/client-node';
import type { V1Status } from '@kubernetes/client-node';

import { Cluster } from '../cluster/cluster.ts';
import type { CliContext, GlobalOptions } from '../context.ts';
import { CliError } from '../errors.ts';

interface PodOptions extends GlobalOptions {
  readonly kubeconfig: string;
  readonly container?: string;
}

/** Runs a program in a pod with this process's input and output. @returns its exit code */
export async function execInPod(
  context: CliContext,
  options: PodOptions & { readonly stdin?: boolean; readonly tty?: boolean },
  pod: string,
  argv: readonly string[],
): Promise<number> {
  using cluster = Cluster.open(options, context);
  const { name, namespace, container } = await podOf(cluster, pod, options.container);
  const { promise, resolve } = Promise.withResolvers<V1Status>();
  const stdout = new PassThrough();
  const stderr = new PassThrough();
  stdout.on('data', (chunk: Buffer) => context.out(chunk.toString()));
  stderr.on('data', (chunk: Buffer) => context.err(chunk.toString()));
  const stdin = options.stdin === true ? context.stdin : null;
  const raw = options.tty === true && context.terminal !== undefined;
  if (raw) context.setRawMode?.(true);
  try {
    const socket = await new Exec(cluster.config).exec(
      namespace,
      name,
      container,
      [...argv],
      stdout,
      stderr,
      stdin,
      options.tty === true,
      resolve,
    );
    const closed = new Promise<V1Status>((settle) => {
      socket.onclose = () => settle({ status: 'Failure', message: 'the connection broke' });
    });
    return exitCodeOf(await Promise.race([promise, closed]));
  } finally {
    if (raw) context.setRawMode?.(false);
    context.stdin.unref?.();
  }
}

export async function printLog(
  context: CliContext,
  options: PodOptions & { readonly follow?: boolean; readonly previous?: boolean; readonly tail?: number },
  pod: string,
): Promise<void> {
  using cluster = Cluster.open(options, context);
  const { name, namespace, container } = await podOf(cluster, pod, options.container);
  const output = new PassThrough();
  output.on('data', (chunk: Buffer) => context.out(chunk.toString()));
  const log = await new Log(cluster.config).log(namespace, name, container, output, {
    follow: options.follow === true,
    previous: options.previous === true,
    ...(options.tail === undefined ? {} : { tailLines: options.tail }),
  });
  context.interrupted.addEventListener('abort', () => {
    log.abort();
    output.end();
  });
  await finished(output);
}

async function podOf(
  cluster: Cluster,
  text: string,
  container: string | undefined,
): Promise<{ readonly name: string; readonly namespace: string; readonly container: string }> {
  const [name = '', ...rest] = text.replace(/^pods?\//, '').split('.');
  const namespace = rest.length === 0 ? cluster.namespace : rest.join('.');
  const pod = await cluster.client.request<Pod>({
    path: builtInPath('Pod', namespace, name),
  });
  const chosen = container ?? pod.spec?.containers?.[0]?.name;
  if (chosen === undefined) throw new CliError('NOT_FOUND', `pod ${name} has no containers`);
  return { name, namespace, container: chosen };
}

function exitCodeOf({ status, details, message }: V1Status): number {
  if (status === 'Success') return 0;
  const code = details?.causes?.find(({ reason }) => reason === 'ExitCode')?.message;
  if (code !== undefined) return Number(code);
  throw new CliError('LAB', `the program was not run: ${message ?? 'no reason was given'}`);
}
