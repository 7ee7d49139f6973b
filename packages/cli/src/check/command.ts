import { builtInPath } from '@ambient/kube';
import type { Namespace, Pod } from '@ambient/kube';
import { Command } from 'commander';

import { Cluster } from '../cluster/cluster.ts';
import type { CliContext, GlobalOptions } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { captureByNode } from './capture.ts';
import type { NodeCapture } from './capture.ts';

export function checkCommand(context: CliContext): Command {
  return new Command('check')
    .description(
      'whether each node has a ztunnel, and each pod that should be in the mesh is; exit code 1 if not',
    )
    .option('--json', 'as JSON')
    .action(async (_: unknown, self: Command) => {
      const options = self.optsWithGlobals<GlobalOptions & { readonly json?: boolean }>();
      using cluster = Cluster.open(options, context);
      const list = async <T>(path: string, labelSelector?: string): Promise<T[]> =>
        (await cluster.client.request<{ items: T[] }>({ path, query: { labelSelector } })).items;
      const [pods, namespaces, ztunnels] = await Promise.all([
        list<Pod>(builtInPath('Pod')),
        list<Namespace>(builtInPath('Namespace')),
        list<Pod>(builtInPath('Pod', cluster.istioNamespace), 'app=ztunnel'),
      ]);
      const nodes = captureByNode(pods, namespaces, ztunnels);
      context.out(options.json === true ? `${JSON.stringify(nodes, null, 2)}\n` : checkTable(nodes));
      if (nodes.length === 0 || nodes.some(isWrong)) context.setExitCode(1);
    });
}

function isWrong({ ztunnel, captured, missing }: NodeCapture): boolean {
  return missing.length > 0 || (ztunnel === undefined && captured > 0);
}

export function checkTable(nodes: readonly NodeCapture[]): string {
  if (nodes.length === 0)
    return 'no node has a ztunnel or a pod of the mesh; name its namespace with --istio-namespace\n';
  const table = formatTable(
    [
      ['NODE', 'ZTUNNEL', 'CAPTURED', 'NOT CAPTURED'],
      ...nodes.map(({ node, ztunnel, captured, missing }) => [
        node,
        ztunnel ?? 'none ready',
        String(captured),
        String(missing.length),
      ]),
    ],
    2,
  );
  const missing = nodes.flatMap((each) => each.missing.map((pod) => `  ${pod} on ${each.node}\n`));
  if (missing.length === 0) return table;
  return `${table}\nnot captured, see the log of the node agent there and kubectl describe pod:\n${missing.join('')}`;
}
