import { waitThroughFailures } from '@ambient/testkit/lab';
import { kubectl, run } from './command.ts';
import { environment, projectFile } from './environment.ts';
import type { Pod } from './pods.ts';
import { isReady, podsOf } from './pods.ts';

export const SYSTEM = 'istio-system';

/** Parts in the order in which they are installed: chart, labels of its pods. */
export const parts = [
  { chart: 'base', labels: undefined },
  { chart: 'control-plane', labels: 'app=istiod' },
  { chart: 'cni', labels: 'k8s-app=istio-cni-node' },
  { chart: 'ztunnel', labels: 'app=ztunnel' },
] as const;

export type Part = (typeof parts)[number]['chart'];

function helm(args: readonly string[]): Promise<string> {
  return run([environment.helm, ...args, '--namespace', SYSTEM], { timeoutMs: 120_000 });
}

export function install(part: Part, values: Readonly<Record<string, string>> = {}): Promise<string> {
  const images =
    part === 'base'
      ? {}
      : { hub: environment.hub, tag: environment.tag, imagePullPolicy: environment.pullPolicy };
  const set = Object.entries({ ...images, ...values }).flatMap(([name, value]) => [
    '--set',
    `${name}=${value}`,
  ]);
  return helm(['install', part, projectFile(`charts/${part}`), '--create-namespace', ...set]);
}

export function uninstall(part: Part): Promise<string> {
  return helm(['uninstall', part, '--ignore-not-found', '--wait', '--timeout', '90s']);
}

/** Waits until all pods of a part are ready. */
export function readyPods(labels: string, deadlineMs?: number): Promise<readonly Pod[]> {
  return waitThroughFailures(
    async () => {
      const pods = await podsOf(SYSTEM, labels);
      return pods.length > 0 && pods.every(isReady) ? pods : undefined;
    },
    `ready pods ${labels}`,
    deadlineMs,
  );
}

/** Replaces all pods of a part and waits for the end of that. */
export async function restart(resource: string): Promise<void> {
  await kubectl(['--namespace', SYSTEM, 'rollout', 'restart', resource]);
  await kubectl(['--namespace', SYSTEM, 'rollout', 'status', resource, '--timeout=120s'], {
    timeoutMs: 130_000,
  });
}

/** A line of ztunnel's access log. */
export type AccessLine = Readonly<Record<string, string>>;

/** What all ztunnels of the cluster have logged of connections that have ended. */
export async function accessLog(): Promise<readonly AccessLine[]> {
  const text = await kubectl([
    '--namespace',
    SYSTEM,
    'logs',
    '--selector=app=ztunnel',
    '--tail=-1',
    '--since=120s',
    '--max-log-requests=50',
  ]);
  return text
    .split('\n')
    .filter((line) => line.split('\t')[2] === 'access')
    .map((line) => {
      const fields = [...line.matchAll(/([\w.]+)=(?:"([^"]*)"|(\S+))/g)];
      return Object.fromEntries(fields.map(([, name, quoted, bare]) => [name!, quoted ?? bare ?? '']));
    });
}

/** Waits for a connection that the access log has with these fields. */
export function accessLine(wanted: AccessLine): Promise<AccessLine> {
  return waitThroughFailures(
    async () =>
      (await accessLog()).find((line) =>
        Object.entries(wanted).every(([name, value]) => line[name] === value),
      ),
    `connection ${JSON.stringify(wanted)} in the access log`,
  );
}

export function identity(namespace: string, account: string): string {
  return `spiffe://cluster.local/ns/${namespace}/sa/${account}`;
}
