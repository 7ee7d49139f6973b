import module from 'node:module';
import { processEnvironment } from '@ambient/runtime';
import { onShutdownSignals, runProcess } from '@ambient/runtime/program';
import { startZtunnel } from './app.ts';
import type { Ztunnel } from './app.ts';
import { loadZtunnelSettings } from './settings.ts';
import { systemSettingsHost } from './settings/system-host.ts';

/** After a defect of the main thread, how long the orderly end may take. */
const defectPatienceMs = 3000;

/**
 * Runs the node proxy until it ends.
 *
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export function runZtunnel(): Promise<number> {
  let ztunnel: Ztunnel | undefined;
  return runProcess({
    name: 'ztunnel',
    loadSettings: () => loadZtunnelSettings(processEnvironment(), systemSettingsHost),
    logRoot: 'ztunnel',
    defectMessage: 'defect in the main thread, the process ends',
    onDefect: () => {
      // Workers may wait for an answer that never comes. Exiting would wait for them, so this is the last resort.
      setTimeout(() => process.kill(process.pid, 'SIGKILL'), defectPatienceMs).unref();
      if (ztunnel === undefined) process.kill(process.pid, 'SIGKILL');
      ztunnel?.shutdown('defect');
      ztunnel?.shutdown('defect');
    },
    run: async ({ settings, logLevels, logOutput }) => {
      const running = await startZtunnel({ settings, logLevels, logOutput });
      ztunnel = running;
      using _signals = onShutdownSignals(process, (reason) => running.shutdown(reason));
      // What was compiled at this start need not be at the next, even if this process is killed.
      module.flushCompileCache();
      await running.ended;
    },
  });
}
