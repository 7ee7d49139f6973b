import { Command, Option } from 'commander';

import { AdminAccess } from '../cluster/admin-access.ts';
import type { AdminOptions } from '../cluster/admin-access.ts';
import type { CliContext } from '../context.ts';
import { formatTable } from '../output/table.ts';
import { watchConnections } from './connection-feed.ts';
import { Rates } from './rates.ts';
import type { RateOrder, WorkloadRates } from './rates.ts';
import { filterOf, withWatchOptions } from './tap.ts';
import { formatBytes } from './units.ts';

interface TopOptions extends AdminOptions {
  readonly workload?: string;
  readonly workloadNamespace?: string;
  readonly direction?: string;
  readonly interval: number;
  readonly once?: boolean;
  readonly sort: RateOrder;
  readonly json?: boolean;
}

const clearScreen = '\x1b[H\x1b[2J';

export function topCommand(context: CliContext): Command {
  return withWatchOptions(new Command('top'))
    .description('connections and rates by workload, the busiest first, until Ctrl-C')
    .option('--once', 'prints one table and ends; so it does where the output is no terminal')
    .option('--json', 'JSON in place of a table')
    .addOption(
      new Option('--sort <order>', 'what comes first')
        .choices(['rate', 'connections', 'name'])
        .default('rate'),
    )
    .action(async (pod: string | undefined, _: unknown, self: Command) => {
      const options = self.optsWithGlobals<TopOptions>();
      const rates = new Rates(filterOf(options));
      using access = new AdminAccess(context, options);
      const clients = await access.pick(pod);
      const enough = new AbortController();
      const once = options.once === true || context.terminal === undefined;
      await watchConnections(
        clients,
        options.interval,
        (delta, { name }) => {
          rates.take(name, delta);
          if (!rates.isComplete(clients.length) || enough.signal.aborted) return;
          const rows = rates.rows(options.sort);
          const text = options.json === true ? `${JSON.stringify(rows)}\n` : topTable(rows);
          if (once) {
            context.out(text);
            enough.abort();
          } else context.out(clearScreen + firstLines(text, context.terminal.rows - 1));
        },
        AbortSignal.any([context.interrupted, enough.signal]),
      );
    });
}

function topTable(rows: readonly WorkloadRates[]): string {
  return formatTable(
    [
      ['WORKLOAD', 'IN', 'OUT', 'OPENED/S', 'SENT/S', 'RECEIVED/S'],
      ...rows.map((row) => [
        row.workload,
        String(row.inbound),
        String(row.outbound),
        row.openedRate.toFixed(1),
        formatBytes(row.sentRate),
        formatBytes(row.receivedRate),
      ]),
    ],
    2,
  );
}

function firstLines(text: string, count: number): string {
  return text.split('\n').slice(0, Math.max(1, count)).join('\n');
}
