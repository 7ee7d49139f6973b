import { environmentUnder } from '@ambient/runtime';
import { runUntilSignal } from '@ambient/runtime/program';
import { startAgent } from './app.ts';
import { connectToApiServer } from './cluster/api-server.ts';
import { loadAgentSettings } from './settings/settings.ts';

/**
 * An orderly end that takes longer is cut short, milliseconds; the chart's grace period is a little longer. Where the mesh
 * leaves a busy node, each of its pods takes some tenths of a second of one CPU.
 */
const endPatienceMs = 110_000;

/**
 * Runs the node agent until a signal ends it.
 * @param overrides variables that count instead of those of the environment
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export function runAgent(overrides: Readonly<Record<string, string>>): Promise<number> {
  return runUntilSignal({
    name: 'install-cni',
    loadSettings: () => loadAgentSettings(environmentUnder(overrides)),
    endPatienceMs,
    run: async ({ settings, log }, end) => {
      using connection = connectToApiServer(settings.cluster);
      const agent = await startAgent({ settings, connection, log, signal: end.signal });
      await end.asked;
      await agent?.stop();
    },
  });
}
