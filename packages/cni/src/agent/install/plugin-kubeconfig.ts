import { mkdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import type { Repair } from '../../conflist/installer.ts';
import { readIfThere, replaceFile } from '../../conflist/files.ts';
import { renderKubeconfig } from '../../plugin/kubeconfig.ts';

/** Credentials of the plugin's. */
const KUBECONFIG_MODE = 0o600;

/** How the plugin is to reach the API server. */
export interface ApiAccess {
  /** https://HOST:PORT as the node reaches it. */
  readonly server: string;
  /** With files `token` and `ca.crt`, as a kubelet mounts them; the token changes from time to time. */
  readonly accountDirectory: string;
}

/**
 * Writes the kubeconfig of the plugin, if what is there differs: address, root and token of the agent's own account.
 * @throws what reading the account's files throws
 */
export function keepKubeconfig(path: string, access: ApiAccess): readonly Repair[] {
  const token = readIfThere(join(access.accountDirectory, 'token'))?.toString('utf8').trim() ?? '';
  if (token === '') throw new NoTokenError(access.accountDirectory);
  const ca = readIfThere(join(access.accountDirectory, 'ca.crt'))?.toString('utf8');
  const wanted = renderKubeconfig(access.server, ca, token);
  const present = readIfThere(path)?.toString('utf8');
  if (present === wanted) return [];
  mkdirSync(dirname(path), { recursive: true });
  replaceFile(path, wanted, KUBECONFIG_MODE);
  return [
    {
      file: path,
      problem: present === undefined ? 'it was missing' : 'the token or the address was another',
    },
  ];
}

/** The agent's account has no token, so the plugin cannot ask the API server about pods. */
export class NoTokenError extends Error {
  override readonly name = 'NoTokenError';
  readonly code = 'ERR_AGENT_NO_TOKEN';

  constructor(directory: string) {
    super(
      `no token in ${directory}: mount the service account's token into the agent (automountServiceAccountToken)`,
    );
  }
}
