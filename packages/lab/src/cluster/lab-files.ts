import { rmSync } from 'node:fs';
import { join } from 'node:path';

/** Names in a lab's directory. */
export const labFiles = {
  /** For people. */
  kubeconfig: 'kubeconfig',
  /** For programs in the lab's own namespaces. */
  ownKubeconfig: 'kubeconfig.own',
  /** What the nodes have for disks. */
  nodes: 'nodes',
  /** Socket behind which the API is. */
  apiSocket: 'api.sock',
} as const;

/** Removes what a lab keeps in its directory, which itself is its maker's. Nothing of the lab may run any more. */
export function removeLabFiles(directory: string): void {
  for (const name of Object.values(labFiles)) rmSync(join(directory, name), { recursive: true, force: true });
}
