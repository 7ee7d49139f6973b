import { writeSync } from 'node:fs';
import {
  describeError,
  Logger,
  LogLevels,
  openLogOutput,
  processEnvironment,
  SettingsError,
} from '@ambient/runtime';
import type { SettingsSource } from '@ambient/runtime';

import { startControlPlane } from './app.ts';
import { KubeConnection } from '@ambient/kube';
import { loadControlPlaneSettings } from './settings/settings.ts';

/** An orderly end that takes longer is cut short, milliseconds. */
const endPatienceMs = 10_000;

/**
 * Runs the control plane until a signal ends it.
 *
 * @param overrides settings by name that go before the environment
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export async function runControlPlane(overrides: ReadonlyMap<string, string>): Promise<number> {
  let settings;
  try {
    settings = loadControlPlaneSettings(settingsSource(overrides));
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    writeSync(2, `control-plane: ${error.message}\n`);
    return 1;
  }
  const output = await openLogOutput(settings.log.format);
  const log = new Logger(new LogLevels(settings.log.levels), output, 'app');
  const failed = (message: string, error: unknown): number => {
    log.error(message, { error: describeError(error) });
    log.debug(message, { stack: error instanceof Error ? error.stack : undefined });
    output.flush();
    return 1;
  };
  const ended = Promise.withResolvers<string>();
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => ended.resolve(signal));
  let defect = false;
  process.on('uncaughtException', (error) => {
    defect = true;
    failed('defect, the process ends', error);
    ended.resolve('defect');
  });
  try {
    const { kubeconfig } = settings.cluster;
    using connection =
      kubeconfig === undefined ? KubeConnection.inCluster() : KubeConnection.fromFile(kubeconfig);
    // A start that waits for the API server must not outlast the signal that ends it: nothing is served yet.
    const controlPlane = await Promise.race([
      startControlPlane({ settings, connection, log }),
      ended.promise.then(() => undefined),
    ]);
    const reason = await ended.promise;
    log.info('stopping', { reason });
    setTimeout(() => process.exit(failed('the end took too long', reason)), endPatienceMs).unref();
    await controlPlane?.stop();
    output.flush();
    return defect ? 1 : 0;
  } catch (error) {
    return failed('cannot run', error);
  }
}

/** Settings by name: those of flags before those of the environment. */
export function settingsSource(overrides: ReadonlyMap<string, string>): SettingsSource {
  return layered(overrides, processEnvironment());
}

function layered(overrides: ReadonlyMap<string, string>, below: SettingsSource): SettingsSource {
  return {
    get: (name) => overrides.get(name) ?? below.get(name),
    names: () => new Set([...overrides.keys(), ...below.names()]),
  };
}
