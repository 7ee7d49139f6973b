import { writeSync } from 'node:fs';
import module from 'node:module';
import {
  describeError,
  Logger,
  LogLevels,
  openLogOutput,
  processEnvironment,
  SettingsError,
} from '@ambient/runtime';
import { startZtunnel } from './app.ts';
import type { Ztunnel } from './app.ts';
import { loadZtunnelSettings } from './settings.ts';
import { systemSettingsHost } from './settings/system-host.ts';
import { onShutdownSignals } from './shutdown-signals.ts';

/** After a defect of the main thread, how long the orderly end may take. */
const defectPatienceMs = 3000;

/**
 * Runs the node proxy until it ends.
 *
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export async function runZtunnel(): Promise<number> {
  let settings;
  try {
    settings = await loadZtunnelSettings(processEnvironment(), systemSettingsHost);
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    writeSync(2, `ztunnel: ${error.message}\n`);
    return 1;
  }
  const logLevels = new LogLevels(settings.log.levels, 'ztunnel');
  const logOutput = await openLogOutput(settings.log.format);
  const log = new Logger(logLevels, logOutput, 'app');
  const failed = (message: string, error: unknown): number => {
    log.error(message, { error: describeError(error) });
    log.debug(message, { stack: error instanceof Error ? error.stack : undefined });
    logOutput.flush();
    return 1;
  };
  let ztunnel: Ztunnel | undefined;
  let defect = false;
  process.on('uncaughtException', (error) => {
    defect = true;
    failed('defect in the main thread, the process ends', error);
    // Workers may wait for an answer that never comes. Exiting would wait for them, so this is the last resort.
    setTimeout(() => process.kill(process.pid, 'SIGKILL'), defectPatienceMs).unref();
    if (ztunnel === undefined) process.kill(process.pid, 'SIGKILL');
    ztunnel?.shutdown('defect');
    ztunnel?.shutdown('defect');
  });
  try {
    const running = await startZtunnel({ settings, logLevels, logOutput });
    ztunnel = running;
    using _signals = onShutdownSignals(process, (reason) => running.shutdown(reason));
    // What was compiled at this start need not be at the next, even if this process is killed.
    module.flushCompileCache();
    await running.ended;
    logOutput.flush();
    return defect ? 1 : 0;
  } catch (error) {
    return failed('cannot run', error);
  }
}
