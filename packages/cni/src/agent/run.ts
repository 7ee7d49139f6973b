import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeConnection } from '@ambient/kube';
import { environmentUnder } from '@ambient/runtime';
import { runUntilSignal } from '@ambient/runtime/program';
import { startAgent } from './app.ts';
import type { AgentSettings } from './settings/settings.ts';
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
      using connection = connect(settings);
      const agent = await startAgent({ settings, connection, log, signal: end.signal });
      await end.asked;
      await agent?.stop();
    },
  });
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
