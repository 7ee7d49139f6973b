import { canonical } from '../cache/canonical.ts';
import type { ControllerContext } from '../controller.ts';
import type { DaemonSet } from '../objects.ts';
import { claimedPods, inGrowingBatches, onPodChange, onWorkloadChange } from '../pods/pod-family.ts';
import { podOf } from '../pods/pod-template.ts';
import { isFinished } from '../pods/pod-state.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { keepRevisions } from '../revisions/keep-revisions.ts';
import { revisionHashLabel } from '../revisions/revision-plan.ts';
import { nodeOf, planDaemons, specFor } from './daemon-plan.ts';

const firstRetryMs = 1000;
const longestRetryMs = 15 * 60_000;
/** A node without a failure for so long starts over. */
const forgetAfterMs = 2 * longestRetryMs;

interface Failures {
  count: number;
  lastMs: number;
}

/** Gives each node that a DaemonSet selects one pod of it. */
export class DaemonSetController extends QueuedController {
  /** Pods that failed, by uid of the set and node. */
  readonly #failures = new Map<string, Failures>();

  constructor(context: ControllerContext) {
    super(context, { name: 'daemonset-controller', gatherMs: 5 });
    const { cache } = context;
    const look = (key: string): void => this.look(key);
    this.hear(onWorkloadChange(cache, 'DaemonSet', look));
    this.hear(onPodChange(cache, 'DaemonSet', look));
    this.hear(
      cache.tables.Node.listen((now, previous) => {
        // Heartbeats change nothing here.
        if (
          canonical([now?.metadata.labels, now?.spec]) !==
          canonical([previous?.metadata.labels, previous?.spec])
        )
          for (const key of cache.tables.DaemonSet.keys()) look(key);
      }),
    );
  }

  protected override async reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.context;
    const set = cache.tables.DaemonSet.get(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = await claimedPods(cache, writer, set);
    const hash = await keepRevisions(this.context, set, pods);
    const plan = planDaemons(set, cache.tables.Node.values(), pods, hash, clock.nowMs());
    const waits: number[] = [];
    for (const pod of plan.remove) if (isFinished(pod)) this.#failed(`${set.metadata.uid} ${nodeOf(pod)}`);
    const create = plan.create.filter((node) => {
      const waitMs = this.#waitMs(`${set.metadata.uid} ${node}`);
      if (waitMs > 0) waits.push(waitMs);
      return waitMs === 0;
    });
    await inGrowingBatches(plan.remove, async (pod) => {
      await writer.delete('Pod', pod);
      this.tell(set, 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    });
    await inGrowingBatches(create, (node) => this.#create(set, node, hash));
    const now = [...cache.tables.Pod.by('owner', set.metadata.uid)];
    const after = planDaemons(set, cache.tables.Node.values(), now, hash, clock.nowMs());
    await writer.status('DaemonSet', set, after.status);
    if (after.lookAgainMs !== undefined) waits.push(after.lookAgainMs);
    return waits.length === 0 ? undefined : Math.min(...waits);
  }

  async #create(set: DaemonSet, node: string, hash: string): Promise<void> {
    const { template = {} } = set.spec ?? {};
    const { metadata } = await this.context.writer.create(
      'Pod',
      podOf(set, template, {
        labels: {
          [revisionHashLabel]: hash,
          'pod-template-generation': String(set.metadata.generation ?? 1),
        },
        spec: specFor(template.spec, node),
      }),
    );
    this.tell(set, 'SuccessfulCreate', `Created pod: ${metadata.name}`);
  }

  #failed(key: string): void {
    const nowMs = this.context.clock.nowMs();
    const known = this.#failures.get(key);
    const count = known === undefined || nowMs - known.lastMs > forgetAfterMs ? 0 : known.count;
    this.#failures.set(key, { count: count + 1, lastMs: nowMs });
  }

  /** How long a node waits for its next pod after failures, milliseconds. */
  #waitMs(key: string): number {
    const known = this.#failures.get(key);
    if (known === undefined) return 0;
    const pauseMs = Math.min(longestRetryMs, firstRetryMs * 2 ** (known.count - 1));
    const nowMs = this.context.clock.nowMs();
    if (nowMs - known.lastMs > forgetAfterMs) this.#failures.delete(key);
    return Math.max(0, known.lastMs + pauseMs - nowMs);
  }
}
