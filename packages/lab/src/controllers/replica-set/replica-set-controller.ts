import { describeError } from '@ambient/runtime';

import type { Controller, ControllerContext } from '../controller.ts';
import type { Pod, ReplicaSet } from '../objects.ts';
import { podOf } from '../pods/pod-template.ts';
import {
  candidatePods,
  claimed,
  inGrowingBatches,
  onPodChange,
  onWorkloadChange,
} from '../pods/pod-family.ts';
import { WorkQueue } from '../queue/work-queue.ts';
import { planReplicas, replicaReport } from './replica-plan.ts';

const component = 'replicaset-controller';

/** Gives each ReplicaSet as many pods as it wants. */
export class ReplicaSetController implements Controller {
  readonly #context: ControllerContext;
  readonly #queue: WorkQueue;
  readonly #listening = new DisposableStack();

  constructor(context: ControllerContext) {
    const { cache, log, clock } = context;
    this.#context = context;
    this.#queue = new WorkQueue({
      name: component,
      log,
      clock,
      parallel: 8,
      gatherMs: 5,
      reconcile: (key) => this.#reconcile(key),
    });
    const look = (key: string): void => this.#queue.add(key);
    this.#listening.use(onWorkloadChange(cache, 'ReplicaSet', look));
    this.#listening.use(onPodChange(cache, 'ReplicaSet', look));
  }

  get idle(): boolean {
    return this.#queue.idle;
  }

  async stop(): Promise<void> {
    this.#listening.dispose();
    await this.#queue.stop();
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.#context;
    const set = cache.tables.ReplicaSet.get(key);
    if (set === undefined) return undefined;
    const { selector } = set.spec ?? {};
    const candidates = candidatePods(cache, set, selector);
    const pods = await claimed(writer, 'Pod', set, selector, candidates);
    let failure: { readonly reason: string; readonly message: string; readonly error: unknown } | undefined;
    const plan = planReplicas(set, pods);
    if (set.metadata.deletionTimestamp === undefined)
      try {
        await this.#create(set, plan.create);
        await this.#remove(set, plan.remove);
      } catch (error) {
        const reason = plan.create > 0 ? 'FailedCreate' : 'FailedDelete';
        failure = { reason, message: describeError(error), error };
        this.#context.events.record(component, set, { type: 'Warning', reason, message: failure.message });
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
    const { writer, events } = this.#context;
    const pod = podOf(set, set.spec?.template ?? {});
    await inGrowingBatches(Array.from({ length: count }), async () => {
      const { metadata } = await writer.create('Pod', pod);
      const message = `Created pod: ${metadata.name}`;
      events.record(component, set, { type: 'Normal', reason: 'SuccessfulCreate', message });
    });
  }

  async #remove(set: ReplicaSet, pods: readonly Pod[]): Promise<void> {
    const { writer, events } = this.#context;
    await inGrowingBatches(pods, async (pod) => {
      await writer.delete('Pod', pod);
      const message = `Deleted pod: ${pod.metadata.name}`;
      events.record(component, set, { type: 'Normal', reason: 'SuccessfulDelete', message });
    });
  }
}
