import type { LocalWorkloadName } from '@ambient/mesh';

import type { NodePodStatus } from '../capture/node-pods.ts';
import type { ConnectionReport } from '../worker/messages.ts';

/** A live connection, and which pod of this node has it. */
export type LocalConnection = Located<ConnectionReport>;

export type Located<T extends ConnectionReport> = Omit<T, 'pod'> & {
  readonly workload: Pick<LocalWorkloadName, 'name' | 'namespace'>;
};

/**
 * @param only the workload of dedicated mode
 * @param pods those of the node in shared mode
 */
export function localConnections<T extends ConnectionReport>(
  reports: readonly T[],
  only: LocalWorkloadName | undefined,
  pods: readonly NodePodStatus[] = [],
): Located<T>[] {
  const names = new Map(pods.map(({ captureId, name }) => [captureId, name]));
  return reports.map(({ pod, ...report }) => {
    // A pod that is gone may have connections that drain.
    const { name = '', namespace = '' } = (pod === undefined ? only : names.get(pod)) ?? {};
    return { ...report, workload: { name, namespace } };
  });
}
