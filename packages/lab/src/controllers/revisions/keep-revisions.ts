import type { ControllerContext } from '../controller.ts';
import type { DaemonSet, Pod, StatefulSet } from '../objects.ts';
import { hashOfRevision, planRevisions } from './revision-plan.ts';

/** Writes the history of a workload; the hash of its template as it is now. */
export async function keepRevisions(
  { cache, writer }: ControllerContext,
  owner: DaemonSet | StatefulSet,
  pods: readonly Pod[],
): Promise<string> {
  const { template = {}, revisionHistoryLimit } = owner.spec ?? {};
  const revisions = [...cache.tables.ControllerRevision.by('owner', owner.metadata.uid)];
  const used = new Set(pods.map(hashOfRevision));
  const plan = planRevisions(owner, template, revisions, used, revisionHistoryLimit);
  if (plan.create !== undefined) await writer.create('ControllerRevision', plan.create);
  if (plan.renumber !== undefined) {
    const { revision, number } = plan.renumber;
    await writer.patch('ControllerRevision', revision, { revision: number });
  }
  for (const each of plan.remove) await writer.delete('ControllerRevision', each);
  return plan.hash;
}
