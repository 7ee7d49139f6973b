import { writeSync } from 'node:fs';
import { describeError, environmentUnder, realClock, SettingsError } from '@ambient/runtime';

import { CaMaterialError } from '../ca/ca-material-error.ts';
import { crlConfigMapName } from '../ca/trust-configmaps.ts';
import type { Command } from '../command-line.ts';
import {
  builtInPath,
  KubeClient,
  KubeConfigError,
  KubeConnection,
  KubeConnectionError,
  KubeStatusError,
  patchType,
} from '@ambient/kube';
import { KubeSecrets } from '../ca/kubernetes-secrets.ts';
import { loadControlPlaneSettings } from '../settings/settings.ts';
import { OperatorError } from './operator-error.ts';
import { revoke } from './revoke.ts';
import { rotateRoot } from './rotate-root.ts';
import { version } from '../version.ts';

export type OperatorCommand = Extract<Command, { kind: 'revoke' | 'rotate-root' }>;

/**
 * Runs a command of an operator against the API, with progress on standard output.
 *
 * @returns the exit code: 0, or 1 with a message on standard error
 */
export async function runOperatorCommand(command: OperatorCommand): Promise<number> {
  try {
    const { cluster, certificates } = loadControlPlaneSettings(environmentUnder(command.overrides));
    const { kubeconfig, namespace } = cluster;
    using connection =
      kubeconfig === undefined ? KubeConnection.inCluster() : KubeConnection.fromFile(kubeconfig);
    const client = new KubeClient(connection, realClock, {
      caller: {
        name: `ambient-control-plane/${version}`,
        remedies: {
          401: 'check the user of the kubeconfig (--kubeconfig, KUBECONFIG)',
          403: `run the command as somebody who may read and change Secrets of namespace ${namespace}`,
        },
      },
    });
    const secrets = new KubeSecrets(client, namespace);
    const context = { clock: realClock, secrets, say: (line: string) => void writeSync(1, `${line}\n`) };
    switch (command.kind) {
      case 'revoke':
        await revoke({
          ...context,
          publishedLists: () => readLists(client, namespace),
          target: command.target,
          reason: command.reason,
          maxTtlMs: certificates.maxTtlMs,
        });
        break;
      case 'rotate-root':
        await rotateRoot({
          ...context,
          follow: command.follow,
          annotate: async (secret, name, value) => {
            await client.request({
              method: 'PATCH',
              path: builtInPath('Secret', namespace, secret),
              contentType: patchType.merge,
              body: { metadata: { annotations: { [name]: value } } },
            });
          },
        });
        break;
    }
    return 0;
  } catch (error) {
    if (!isExpected(error)) throw error;
    writeSync(2, `control-plane ${command.kind}: ${describeError(error)}\n`);
    return 1;
  }
}

async function readLists(client: KubeClient, namespace: string): Promise<string | undefined> {
  try {
    const { data } = await client.request<{ readonly data?: Readonly<Record<string, string>> }>({
      path: builtInPath('ConfigMap', namespace, crlConfigMapName),
    });
    return data?.['ca-crl.pem'];
  } catch (error) {
    if (error instanceof KubeStatusError && error.status === 404) return undefined;
    throw error;
  }
}

function isExpected(error: unknown): boolean {
  return [
    OperatorError,
    SettingsError,
    CaMaterialError,
    KubeConfigError,
    KubeConnectionError,
    KubeStatusError,
  ].some((kind) => error instanceof kind);
}
