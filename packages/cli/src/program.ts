import { KubeConfigError, KubeConnectionError, KubeStatusError } from '@ambient/kube';
import { SettingsError } from '@ambient/runtime';
import { Command, CommanderError } from 'commander';

import { checkCommand } from './check/command.ts';
import type { CliContext } from './context.ts';
import { CliError } from './errors.ts';
import { explainCommand } from './explain/command.ts';
import { labCommand } from './lab/command.ts';
import { version } from './version.ts';
import { tapCommand } from './watch/tap.ts';
import { topCommand } from './watch/top.ts';
import { ztunnelConfigCommand } from './ztunnel-config/command.ts';

/** The program with all of its commands. */
function ambientctl(context: CliContext): Command {
  const program = new Command('ambientctl')
    .description('looks into an ambient mesh, and runs one on this machine')
    .version(version, '--version')
    .option('--kubeconfig <file>', 'the kubeconfig (KUBECONFIG, else ~/.kube/config)')
    .option('--context <name>', 'the context in it (its current one)')
    .option('-n, --namespace <namespace>', 'namespace of what is named without one')
    .option(
      '-i, --istio-namespace <namespace>',
      'namespace of ztunnel and the control plane',
      'istio-system',
    );
  const lab = labCommand(context);
  for (const command of [
    ztunnelConfigCommand(context),
    explainCommand(context),
    tapCommand(context),
    topCommand(context),
    checkCommand(context),
    lab,
  ])
    program.addCommand(command);
  const ofLab = new Set(allCommands(lab));
  for (const each of allCommands(program)) {
    each.exitOverride();
    each.configureOutput({ writeOut: context.out, writeErr: context.err });
    // --kubeconfig and its kin work behind each command, so each help has them; a lab has its own cluster.
    each.configureHelp({ showGlobalOptions: !ofLab.has(each) });
    each.showHelpAfterError('(see --help)');
  }
  return program;
}

function* allCommands(command: Command): Generator<Command> {
  yield command;
  for (const each of command.commands) yield* allCommands(each);
}

/**
 * Runs one command line and says what went wrong.
 *
 * @param words without the names of interpreter and program
 * @returns the exit code: 0 all is well, 1 it did not work, 2 the command line is wrong
 */
export async function runAmbientctl(words: readonly string[], context: CliContext): Promise<number> {
  try {
    await ambientctl(context).parseAsync([...words], { from: 'user' });
    return 0;
  } catch (error) {
    if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
    if (context.interrupted.aborted) return 130;
    context.err(`ambientctl: ${describe(error)}\n`);
    return error instanceof CliError ? error.exitCode : 1;
  }
}

function describe(error: unknown): string {
  if (
    error instanceof CliError ||
    error instanceof KubeConfigError ||
    error instanceof KubeConnectionError ||
    error instanceof KubeStatusError ||
    error instanceof SettingsError
  )
    return error.message;
  // A fault of this program: whoever mends it needs to know where.
  return error instanceof Error ? (error.stack ?? error.message) : String(error);
}
