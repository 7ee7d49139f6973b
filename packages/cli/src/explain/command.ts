import { Command } from 'commander';

import { withAdminOptions } from '../cluster/admin-access.ts';
import type { AdminOptions } from '../cluster/admin-access.ts';
import { directAdminClient } from '../cluster/admin-client.ts';
import type { AdminClient } from '../cluster/admin-client.ts';
import { Cluster } from '../cluster/cluster.ts';
import { Ztunnels } from '../cluster/ztunnels.ts';
import type { CliContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { formatExplanation, outcomeOf } from './answers.ts';
import type { Explanation, InboundAnswer, OutboundAnswer } from './answers.ts';
import { findDestination, findSource, isAddress } from './endpoints.ts';
import type { SourcePod } from './endpoints.ts';

type ExplainOptions = AdminOptions & { readonly json?: boolean };

export function explainCommand(context: CliContext): Command {
  return withAdminOptions(new Command('explain'))
    .description('what would happen to a connection, and why: the way, the identities, the policies')
    .argument('<from>', 'the client: [pod/]NAME[.NAMESPACE] or deploy/NAME[.NAMESPACE]')
    .argument('<to>', 'the server: [svc/]NAME[.NAMESPACE][:PORT], pod/NAME[.NAMESPACE][:PORT] or IP:PORT')
    .option('--json', 'both answers as JSON')
    .addHelpText(
      'after',
      `
Both sides are asked, the ztunnel of the client's node and that of the server's; they decide as for a connection. With --admin
one ztunnel answers for both, without a cluster: FROM is then NAMESPACE/POD and TO is IP:PORT.`,
    )
    .action(async (from: string, to: string, _: unknown, self: Command) => {
      const options = self.optsWithGlobals<ExplainOptions>();
      const explanation =
        options.admin === undefined
          ? await explainInCluster(context, options, from, to)
          : await explainByOne(directAdminClient(options.admin), from, to);
      context.out(
        options.json === true ? `${JSON.stringify(explanation, null, 2)}\n` : formatExplanation(explanation),
      );
    });
}

async function explainInCluster(
  context: CliContext,
  options: ExplainOptions,
  from: string,
  to: string,
): Promise<Explanation> {
  using cluster = Cluster.open(options, context);
  const source = await findSource(cluster, from);
  const destination = await findDestination(cluster, to, source.namespace);
  const ztunnels = new Ztunnels(cluster, options.proxyAdminPort);
  const at = options.node ?? source.node;
  return explain(source, destination, await ztunnels.ofNode(at), (node) => ztunnels.ofNode(node));
}

function explainByOne(client: AdminClient, from: string, to: string): Promise<Explanation> {
  const [namespace, name, ...more] = from.split('/');
  if (!namespace || !name || more.length > 0 || !isAddress(to))
    throw new CliError('USAGE', `with --admin give NAMESPACE/POD and IP:PORT, not ${from} and ${to}`);
  const source = { name, namespace, node: '', ips: [], captured: true };
  return explain(source, to, client, () => Promise.resolve(client));
}

/** Asks the client's ztunnel, and then that of whoever it would dial. */
export async function explain(
  source: SourcePod,
  destination: string,
  client: AdminClient,
  ofNode: (node: string) => Promise<AdminClient>,
): Promise<Explanation> {
  const question = new URLSearchParams({ from: `${source.namespace}/${source.name}`, to: destination });
  const outbound = await ask<OutboundAnswer>(client, question);
  const hop = outbound.nextHop;
  let inbound: Explanation['inbound'];
  if (hop !== undefined && outbound.route === 'hbone' && outbound.via === 'direct') {
    const server = await ofNode(hop.node);
    const family = outbound.authority!.startsWith('[');
    const ip = source.ips.find((each) => each.includes(':') === family) ?? outbound.sourceIp;
    const further = new URLSearchParams({ at: `${hop.namespace}/${hop.name}`, source: ip });
    if (source.captured) {
      further.set('authority', outbound.authority!);
      further.set('identity', outbound.identity);
    } else further.set('to', outbound.authority!);
    inbound = { ztunnel: server.name, node: server.node, answer: await ask<InboundAnswer>(server, further) };
  }
  return {
    from: `${source.namespace}/${source.name}`,
    to: destination,
    captured: source.captured,
    outbound: { ztunnel: client.name, node: client.node, answer: outbound },
    ...(inbound === undefined ? {} : { inbound }),
    outcome: outcomeOf(source.captured, outbound, inbound?.answer),
  };
}

async function ask<T>(client: AdminClient, question: URLSearchParams): Promise<T> {
  const text = await client.get(`/explain?${question.toString()}`);
  try {
    return JSON.parse(text) as T;
  } catch (cause) {
    throw new CliError(
      'BAD_ANSWER',
      `${client.name} answered what is no JSON; is its version that of ambientctl?`,
      {
        cause,
      },
    );
  }
}
