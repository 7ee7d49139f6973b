import { describeError } from '@ambient/runtime';

import type { ControllerContext } from '../controller.ts';
import type { Pod, ReplicaSet } from '../objects.ts';
import { podOf } from '../pods/pod-template.ts';
import { claimedPods, inGrowingBatches, onPodChange, onWorkloadChange } from '../pods/pod-family.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { planReplicas, replicaReport } from './replica-plan.ts';

/** Gives each ReplicaSet as many pods as it wants. */
export class ReplicaSetController extends QueuedController {
  constructor(context: ControllerContext) {
    super(context, { name: 'replicaset-controller', parallel: 8, gatherMs: 5 });
    const { cache } = context;
    const look = (key: string): void => this.look(key);
    this.hear(onWorkloadChange(cache, 'ReplicaSet', look));
    this.hear(onPodChange(cache, 'ReplicaSet', look));
  }

  protected override async reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.context;
    const set = cache.tables.ReplicaSet.get(key);
    if (set === undefined) return undefined;
    const pods = await claimedPods(cache, writer, set);
    let failure: { readonly reason: string; readonly message: string; readonly error: unknown } | undefined;
    const plan = planReplicas(set, pods);
    if (set.metadata.deletionTimestamp === undefined)
      try {
        await this.#create(set, plan.create);
        await this.#remove(set, plan.remove);
      } catch (error) {
        const reason = plan.create > 0 ? 'FailedCreate' : 'FailedDelete';
        failure = { reason, message: describeError(error), error };
        this.tell(set, reason, failure.message, 'Warning');
      }
    // As they are after what was just done.
    const now = [...cache.tables.Pod.by('owner', set.metadata.uid)];
    const { error, ...told } = failure ?? { error: undefined };
    const report = replicaReport(set, now, clock.nowMs(), 'reason' in told ? told : undefined);
    await writer.status('ReplicaSet', set, report.status);
    if (error !== undefined) throw error as Error;
    return report.lookAgainMs;
  }

  async #create(set: ReplicaSet, count: number): Promise<void> {
    const { writer } = this.context;
    const pod = podOf(set, set.spec?.template ?? {});
    await inGrowingBatches(Array.from({ length: count }), async () => {
      const { metadata } = await writer.create('Pod', pod);
      this.tell(set, 'SuccessfulCreate', `Created pod: ${metadata.name}`);
    });
  }

  async #remove(set: ReplicaSet, pods: readonly Pod[]): Promise<void> {
    const { writer } = this.context;
    await inGrowingBatches(pods, async (pod) => {
      await writer.delete('Pod', pod);
      this.tell(set, 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    });
  }
}
