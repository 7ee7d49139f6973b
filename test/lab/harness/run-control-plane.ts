/** A control plane in this process, on free ports of the loopback. */
import { Logger, LogLevels, settingsFrom, silentSink } from '@ambient/runtime';
import type { LogFields, LogSink } from '@ambient/runtime';

import { startControlPlane } from '../../../packages/control-plane/src/app.ts';
import type { ControlPlane } from '../../../packages/control-plane/src/app.ts';
import { KubeConnection } from '@ambient/kube';
import { loadControlPlaneSettings } from '../../../packages/control-plane/src/settings/settings.ts';
import type { TestApi } from './test-api.ts';

/** Listeners on free ports, and a name of its own. */
export const testSettings: Readonly<Record<string, string>> = {
  SECURE_GRPC_ADDRESS: '127.0.0.1:0',
  PLAINTEXT_XDS_ADDRESS: '127.0.0.1:0',
  WEBHOOK_ADDRESS: '127.0.0.1:0',
  MONITORING_ADDRESS: '127.0.0.1:0',
  HTTP_ADDRESS: '127.0.0.1:0',
  ROOT_CA_DIR: '/nonexistent/cacerts',
};

export interface RunningControlPlane extends AsyncDisposable {
  readonly ports: ControlPlane['ports'];
  /** What it has logged so far, `level message {fields}`. */
  readonly log: readonly string[];
}

/**
 * Starts it and waits until it serves the whole mesh. The caller disposes it.
 *
 * @param kubeconfig whom the API server takes it for; somebody who may do everything if absent
 */
export async function runControlPlane(
  api: TestApi,
  further: Readonly<Record<string, string>> = {},
  kubeconfig: string = api.kubeconfig,
): Promise<RunningControlPlane> {
  const settings = loadControlPlaneSettings(
    settingsFrom({ POD_NAME: `control-plane-${process.pid}`, ...testSettings, ...further }),
  );
  const log: string[] = [];
  const sink: LogSink = {
    ...silentSink,
    write: (level: string, _scope: string, message: string, fields?: LogFields) =>
      void log.push(`${level} ${message} ${JSON.stringify(fields ?? {})}`),
  };
  const connection = KubeConnection.fromFile(kubeconfig);
  try {
    const controlPlane = await startControlPlane({
      settings,
      connection,
      log: new Logger(new LogLevels('info'), sink, 'app'),
    });
    await controlPlane.ready;
    return {
      ports: controlPlane.ports,
      log,
      async [Symbol.asyncDispose]() {
        await controlPlane.stop();
        connection[Symbol.dispose]();
      },
    };
  } catch (error) {
    connection[Symbol.dispose]();
    throw error;
  }
}
