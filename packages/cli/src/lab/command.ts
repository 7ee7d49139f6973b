import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { Command } from 'commander';

import type { CliContext } from '../context.ts';
import { CliError } from '../errors.ts';
import { formatTable } from '../output/table.ts';
import { formatSeconds } from '../watch/units.ts';
import { Labs } from './lab-process.ts';
import { execInPod, printLog } from './pods.ts';

const labProgram = fileURLToPath(new URL('../../../lab/bin/lab', import.meta.url));

interface NameOption {
  readonly name: string;
}

export function labCommand(context: CliContext): Command {
  const { settings } = context;
  const root = join(
    settings.runtimeDirectory ?? '/tmp',
    settings.runtimeDirectory === undefined ? `ambient-labs-${process.getuid?.() ?? 0}` : 'ambient-labs',
  );
  const labs = new Labs(root, context.labProgram ?? labProgram, context.clock);
  const command = new Command('lab').description(
    'a cluster of several nodes on this machine, with the mesh in it',
  );
  const named = (sub: Command): Command =>
    sub.option('--name <name>', 'name of the lab; several run side by side', 'lab');

  named(command.command('up'))
    .description('starts a lab')
    .option('--nodes <count>', 'how many nodes it has, 1 to 16', readNodes, 2)
    .option('--ipv4-only', 'without IPv6')
    .option('--foreground', 'stays, and ends the lab by Ctrl-C')
    .action(async (options: NameOption & { nodes: number; ipv4Only?: boolean; foreground?: boolean }) => {
      const startedMs = context.clock.nowMs();
      const lab = await labs.up(
        { name: options.name, nodes: options.nodes, ipv4Only: options.ipv4Only === true },
        (text) => context.err(`${text}\n`),
        context.interrupted,
      );
      context.err(`lab ${options.name} is ready after ${formatSeconds(context.clock.nowMs() - startedMs)}\n`);
      context.out(`export KUBECONFIG=${lab.kubeconfig}\n`);
      if (options.foreground !== true) {
        lab.process.unref();
        return;
      }
      const stop = (): void => void lab.process.kill('SIGTERM');
      context.interrupted.addEventListener('abort', stop, { once: true });
      if (context.interrupted.aborted) stop();
      const [code] = (await once(lab.process, 'exit')) as [number | null];
      if (!context.interrupted.aborted)
        throw new CliError(
          'LAB',
          `the lab ended by itself (exit code ${code}); see ${join(lab.state.directory, 'lab.log')}`,
        );
      await labs.down(options.name);
    });

  command
    .command('status')
    .description('the labs of this user')
    .action(() => {
      const now = context.clock.nowMs();
      context.out(
        formatTable(
          [
            ['NAME', 'STATE', 'NODES', 'AGE', 'KUBECONFIG'],
            ...labs
              .all()
              .map(({ name, running, nodes, startedAtMs, directory }) => [
                name,
                running ? 'running' : 'gone',
                String(nodes),
                formatSeconds(now - startedAtMs),
                join(directory, 'kubeconfig'),
              ]),
          ],
          2,
        ),
      );
    });

  named(command.command('down'))
    .description('ends a lab and removes what it left; returns when it is gone')
    .option('--all', 'all labs of this user')
    .action(async ({ name, all }: NameOption & { all?: boolean }) => {
      const names = all === true ? labs.all().map((each) => each.name) : [name];
      for (const each of names) {
        await labs.down(each);
        context.err(`lab ${each} is gone\n`);
      }
    });

  named(command.command('exec'))
    .description('runs a program in a pod of the lab')
    .argument('<pod>', 'NAME[.NAMESPACE]')
    .argument('<command...>', 'behind --')
    .option('-c, --container <name>', 'the container, if there are several')
    .option('-s, --stdin', 'hands on the standard input')
    .option('-t, --tty', 'with a terminal')
    .action(async (pod: string, argv: string[], _: unknown, self: Command) => {
      const options = self.optsWithGlobals<ExecOptions>();
      const kubeconfig = join(labs.running(options.name).directory, 'kubeconfig');
      context.setExitCode(await execInPod(context, { ...options, kubeconfig }, pod, argv));
    });

  named(command.command('logs'))
    .description('prints the log of a pod of the lab')
    .argument('<pod>', 'NAME[.NAMESPACE]')
    .option('-c, --container <name>', 'the container, if there are several')
    .option('-f, --follow', 'goes on as it grows')
    .option('-p, --previous', 'of the run before this one')
    .option('--tail <lines>', 'only the last lines', Number)
    .action(async (pod: string, _: unknown, self: Command) => {
      const options = self.optsWithGlobals<LogsOptions>();
      const kubeconfig = join(labs.running(options.name).directory, 'kubeconfig');
      await printLog(context, { ...options, kubeconfig }, pod);
    });
  return command;
}

type ExecOptions = Parameters<typeof execInPod>[1] & NameOption;
type LogsOptions = Parameters<typeof printLog>[1] & NameOption;

function readNodes(text: string): number {
  const value = Number(text);
  if (!Number.isInteger(value) || value < 1 || value > 16)
    throw new CliError('USAGE', `--nodes ${text}: use 1 to 16`);
  return value;
}
