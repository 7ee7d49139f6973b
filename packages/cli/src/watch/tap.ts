import { Command, Option } from 'commander';

import { AdminAccess, withAdminOptions } from '../cluster/admin-access.ts';
import type { AdminOptions } from '../cluster/admin-access.ts';
import type { CliContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { isWanted, watchConnections } from './connection-feed.ts';
import type { ConnectionFilter, WatchedConnection } from './connection-feed.ts';
import { formatBytes, formatSeconds } from './units.ts';

interface TapOptions extends AdminOptions {
  readonly workload?: string;
  readonly workloadNamespace?: string;
  readonly direction?: string;
  readonly interval: number;
  readonly json?: boolean;
  readonly all?: boolean;
}

export function tapCommand(context: CliContext): Command {
  return withWatchOptions(new Command('tap'))
    .description('connections as they open and close, until Ctrl-C')
    .option('--all', 'begins with those that are open already')
    .option('--json', 'one line of JSON for each, in place of columns')
    .addHelpText(
      'after',
      '\nTimes are those of the looks, once each interval; what opened and closed in between is told then.',
    )
    .action(async (pod: string | undefined, _: unknown, self: Command) => {
      const options = self.optsWithGlobals<TapOptions>();
      const filter = filterOf(options);
      using access = new AdminAccess(context, options);
      const show = (event: TapEvent, connection: WatchedConnection, atMs: number, ztunnel: string): void => {
        if (!isWanted(connection, filter)) return;
        context.out(
          options.json === true
            ? `${JSON.stringify({ event, at: new Date(atMs).toISOString(), ztunnel, ...connection })}\n`
            : `${formatEvent(event, connection, atMs)}\n`,
        );
      };
      await watchConnections(
        await access.pick(pod),
        options.interval,
        (delta, { name }) => {
          const { atMs, snapshot = [], opened, closed } = delta;
          if (options.all === true) for (const each of snapshot) show('open', each, atMs, name);
          for (const each of opened) show('opened', each, atMs, name);
          for (const each of closed) show('closed', each, atMs, name);
        },
        context.interrupted,
      );
    });
}

type TapEvent = 'open' | 'opened' | 'closed';

/** Options of everything that watches. */
export function withWatchOptions(command: Command): Command {
  return withAdminOptions(command.argument('[pod]', 'only this ztunnel, NAME[.NAMESPACE]'))
    .option('--workload <pod>', 'only pods whose name begins so')
    .option('--workload-namespace <namespace>', 'only pods of this namespace')
    .addOption(new Option('--direction <direction>', 'only one direction').choices(['inbound', 'outbound']))
    .option(
      '--interval <ms>',
      'how often the ztunnels look, in milliseconds (200 to 60000)',
      readInterval,
      1000,
    );
}

export function filterOf(options: {
  readonly workload?: string;
  readonly workloadNamespace?: string;
  readonly direction?: string;
}): ConnectionFilter {
  return {
    workload: options.workload,
    namespace: options.workloadNamespace,
    direction: options.direction,
  };
}

function readInterval(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 200 || value > 60_000)
    throw new CliError('USAGE', `--interval ${text}: use milliseconds from 200 to 60000`);
  return value;
}

/** One line: when, what, whose, between whom, over what; of a closed one what it has carried. */
function formatEvent(event: TapEvent, connection: WatchedConnection, atMs: number): string {
  const { workload, direction, source, destination, protocol } = connection;
  const peer =
    direction === 'inbound'
      ? (connection.sourceIdentity ?? 'no identity')
      : (connection.destinationIdentity ?? 'no identity');
  const arrow = direction === 'inbound' ? '<-' : '->';
  const other = direction === 'inbound' ? source : destination;
  const carried =
    event === 'closed'
      ? `  sent ${formatBytes(connection.bytesSent)}, received ${formatBytes(connection.bytesReceived)}, ${formatSeconds((connection.endedAtMs ?? atMs) - connection.openedAtMs)}${connection.reason === undefined ? '' : `, ${connection.reason}`}`
      : '';
  const time = new Date(atMs).toISOString().slice(11, 23);
  return `${time}  ${event.padEnd(6)}  ${workload.name}.${workload.namespace} ${arrow} ${other}  ${protocol}  ${peer}${carried}`;
}
