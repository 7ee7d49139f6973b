import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeConnection } from '@ambient/kube';
import {
  describeError,
  Logger,
  LogLevels,
  openLogOutput,
  processEnvironment,
  SettingsError,
} from '@ambient/runtime';
import { startAgent } from './app.ts';
import type { AgentSettings } from './settings/settings.ts';
import { loadAgentSettings } from './settings/settings.ts';

/** An orderly end that takes longer is cut short, milliseconds; the chart's grace period is a little longer. */
const endPatienceMs = 25_000;

/**
 * Runs the node agent until a signal ends it.
 * @param given variables that count instead of those of the environment
 * @returns the exit code: 0 after an orderly end, 1 with a message on standard error or in the log
 */
export async function runAgent(given: Readonly<Record<string, string>> = {}): Promise<number> {
  let settings;
  try {
    const environment = processEnvironment();
    settings = loadAgentSettings({ ...environment, get: (name) => given[name] ?? environment.get(name) });
  } catch (error) {
    if (!(error instanceof SettingsError)) throw error;
    writeSync(2, `install-cni: ${error.message}\n`);
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
  const ending = new AbortController();
  const end = (reason: string): void => {
    ended.resolve(reason);
    ending.abort();
  };
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.on(signal, () => end(signal));
  let defect = false;
  process.on('uncaughtException', (error) => {
    defect = true;
    failed('defect, the process ends', error);
    end('defect');
  });
  try {
    using connection = connect(settings);
    const agent = await startAgent({ settings, connection, log, signal: ending.signal });
    const reason = await ended.promise;
    log.info('stopping', { reason });
    setTimeout(() => process.exit(failed('the end took too long', reason)), endPatienceMs).unref();
    await agent?.stop();
    output.flush();
    return defect ? 1 : 0;
  } catch (error) {
    return failed('cannot run', error);
  }
}

/** The API server by the kubeconfig, or by the account that the pod has. @throws KubeConfigError */
function connect({ cluster }: AgentSettings): KubeConnection {
  if (cluster.kubeconfig !== undefined) return KubeConnection.fromFile(cluster.kubeconfig);
  const config = new KubeConfig();
  const host = cluster.apiHost.includes(':') ? `[${cluster.apiHost}]` : cluster.apiHost;
  config.loadFromOptions({
    clusters: [
      {
        name: 'cluster',
        server: `https://${host}:${cluster.apiPort}`,
        caFile: join(cluster.accountDirectory, 'ca.crt'),
        skipTLSVerify: false,
      },
    ],
    // The library reads the file again as the kubelet renews it.
    users: [
      {
        name: 'agent',
        authProvider: { name: 'tokenFile', config: { tokenFile: join(cluster.accountDirectory, 'token') } },
      },
    ],
    contexts: [{ name: 'agent', cluster: 'cluster', user: 'agent', namespace: cluster.namespace }],
    currentContext: 'agent',
  });
  return new KubeConnection(config);
}
