import { Command, Option } from 'commander';

import { AdminAccess, withAdminOptions } from '../cluster/admin-access.ts';
import type { AdminOptions } from '../cluster/admin-access.ts';
import type { CliContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { formatStructured, parseOutputFormat } from '../output/structured.ts';
import { parseDump } from './dump.ts';
import type { ZtunnelDump } from './dump.ts';
import { loggingQuery } from './logging.ts';
import type { ConnectionFilter, WorkloadFilter } from './tables.ts';
import {
  certificateTable,
  connectionTable,
  filterPolicies,
  filterServices,
  filterStates,
  filterWorkloads,
  policyTable,
  serviceTable,
  workloadTable,
} from './tables.ts';

interface SourceOptions extends AdminOptions {
  readonly output: string;
  readonly file?: string;
}

/** What a dump is shown as. */
interface View {
  readonly table: (dump: ZtunnelDump) => string;
  /** For JSON and YAML. */
  readonly value: (dump: ZtunnelDump) => unknown;
}

export function ztunnelConfigCommand(context: CliContext): Command {
  const command = new Command('ztunnel-config')
    .alias('zc')
    .description('what a ztunnel knows and does, in the words of istioctl')
    .addHelpText(
      'after',
      `
What is the same in every ztunnel (workloads, services, policies) is read from any; certificates and connections belong to
one: name its pod, its node (--node) or its admin port (--admin).`,
    );
  const show = (
    names: readonly string[],
    description: string,
    ofOnePod: boolean,
    view: (options: Readonly<Record<string, string | undefined>>) => View,
  ): Command => {
    const [name, ...aliases] = names;
    const sub = withSource(command.command(name!).aliases(aliases)).description(description);
    sub.action(async (pod: string | undefined, _: unknown, self: Command) => {
      const options = self.optsWithGlobals<SourceOptions>();
      const format = parseOutputFormat(options.output);
      const { table, value } = view(self.opts<Record<string, string | undefined>>());
      const dump = await readDump(context, options, pod, ofOnePod);
      context.out(format === 'table' ? table(dump) : formatStructured(value(dump), format));
    });
    return sub;
  };

  show(['workloads', 'workload', 'w'], 'workloads of the mesh', false, (options) => {
    const filter: WorkloadFilter = {
      address: options['address'],
      node: options['workloadNode'],
      namespace: options['workloadNamespace'],
    };
    return {
      table: (dump) => workloadTable(dump, filter),
      value: (dump) => filterWorkloads(dump, filter),
    };
  })
    .option('--address <ip>', 'only workloads with this address')
    .option('--workload-namespace <namespace>', 'only workloads of this namespace')
    .option('--workload-node <node>', 'only workloads on this node');

  show(['services', 'service', 's', 'svc'], 'services of the mesh', false, (options) => {
    const namespace = options['serviceNamespace'];
    return {
      table: (dump) => serviceTable(dump, namespace),
      value: (dump) => filterServices(dump, namespace),
    };
  }).option('--service-namespace <namespace>', 'only services of this namespace');

  show(['policies', 'policy', 'p', 'pol'], 'authorization policies', false, (options) => {
    const namespace = options['policyNamespace'];
    return {
      table: (dump) => policyTable(dump, namespace),
      value: (dump) => filterPolicies(dump, namespace),
    };
  }).option('--policy-namespace <namespace>', 'only policies of this namespace');

  show(['certificates', 'certificate', 'certs', 'cert'], "certificates of a ztunnel's pods", true, () => ({
    table: (dump) => certificateTable(dump, context.clock.nowMs()),
    value: (dump) => dump.certificates,
  }));

  show(['connections', 'connection', 'cons'], 'open connections of a ztunnel', true, (options) => {
    const filter: ConnectionFilter = {
      namespace: options['workloadNamespace'],
      direction: options['direction'],
      raw: options['raw'] !== undefined,
    };
    return {
      table: (dump) => connectionTable(dump, filter),
      value: (dump) => filterStates(dump, filter.namespace),
    };
  })
    .addOption(
      new Option('--direction <direction>', 'only connections of this direction').choices([
        'inbound',
        'outbound',
      ]),
    )
    .option('--raw', 'addresses in place of names')
    .option('--workload-namespace <namespace>', 'only connections of pods of this namespace');

  show(['all'], 'everything above, or with -o json the whole dump', false, () => ({
    table: (dump) => allTables(dump, context.clock.nowMs()),
    value: (dump) => dump.whole,
  }));

  withSource(command.command('log').alias('o'))
    .description('log levels of one ztunnel, or of all: shows them, and changes them')
    .option(
      '--level <levels>',
      'LEVEL, or SCOPE:LEVEL separated by commas; levels: trace, debug, info, warning, error, critical, off',
    )
    .option('-r, --reset', 'back to the levels of the start')
    .action(async (pod: string | undefined, _: unknown, self: Command) => {
      const options = self.optsWithGlobals<SourceOptions & { level?: string; reset?: boolean }>();
      if (options.file !== undefined)
        throw new CliError(
          'USAGE',
          'log levels are those of a process: --file has none; name a pod, or --admin',
        );
      const path = `/logging${loggingQuery(options.level, options.reset ?? false)}`;
      using access = new AdminAccess(context, options);
      for (const client of await access.pick(pod))
        context.out(`${client.name}:\n${await client.post(path)}\n`);
    });
  return command;
}

function withSource(command: Command): Command {
  return withAdminOptions(
    command
      .argument('[pod]', 'the ztunnel to ask, NAME[.NAMESPACE]')
      .option('-o, --output <format>', 'table (or short), json or yaml', 'table')
      .option('-f, --file <path>', 'reads a config dump from this file, or - for the standard input'),
  );
}

async function readDump(
  context: CliContext,
  options: SourceOptions,
  pod: string | undefined,
  ofOnePod: boolean,
): Promise<ZtunnelDump> {
  if (options.file !== undefined) {
    if (pod !== undefined || options.node !== undefined || options.admin !== undefined)
      throw new CliError('USAGE', 'give at most one of a pod, --node, --file and --admin');
    try {
      return parseDump(await context.readFile(options.file), options.file);
    } catch (cause) {
      if (cause instanceof CliError) throw cause;
      throw new CliError('NOT_FOUND', `cannot read ${options.file}: ${(cause as Error).message}`, { cause });
    }
  }
  using access = new AdminAccess(context, options);
  const clients = await access.pick(pod);
  if (ofOnePod && clients.length > 1)
    throw new CliError(
      'USAGE',
      `there are ${clients.length} ztunnels, and each has its own; name one, or its node with --node: ${clients.map(({ name }) => name).join(', ')}`,
    );
  return parseDump(await clients[0]!.get('/config_dump'), clients[0]!.name);
}

function allTables(dump: ZtunnelDump, nowMs: number): string {
  const part = (title: string, table: string): string => `\n------ ${title} INFO ------\n\n${table}`;
  return [
    part('WORKLOAD', workloadTable(dump)),
    part('SERVICE', serviceTable(dump)),
    part('POLICY', policyTable(dump)),
    part('SECRET', certificateTable(dump, nowMs)),
    part('CONNECTIONS', connectionTable(dump)),
  ].join('');
}
