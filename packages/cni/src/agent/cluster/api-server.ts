import { join } from 'node:path';
import { KubeConfig } from '@kubernetes/client-node';
import { KubeConnection } from '@ambient/kube';
import type { AgentSettings } from '../settings/settings.ts';

/** Where the node reaches the API server: `https://HOST:PORT`. */
export function apiServerUrl({ apiHost, apiPort }: AgentSettings['cluster']): string {
  return `https://${apiHost.includes(':') ? `[${apiHost}]` : apiHost}:${apiPort}`;
}

/** The API server by the kubeconfig, or by the account that the pod has. @throws KubeConfigError */
export function connectToApiServer(cluster: AgentSettings['cluster']): KubeConnection {
  if (cluster.kubeconfig !== undefined) return KubeConnection.fromFile(cluster.kubeconfig);
  const config = new KubeConfig();
  config.loadFromOptions({
    clusters: [
      {
        name: 'cluster',
        server: apiServerUrl(cluster),
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
