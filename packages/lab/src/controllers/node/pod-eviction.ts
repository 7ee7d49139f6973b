import { canonical } from '../cache/canonical.ts';
import type { ControllerContext } from '../controller.ts';
import type { Node, Pod } from '../objects.ts';
import { isTerminating } from '../pods/pod-state.ts';
import { onWorkloadChange } from '../pods/pod-family.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { stayMs } from '../scheduler/tolerations.ts';

/** A node that was deleted may be made anew by its kubelet. */
const orphanQuarantineMs = 40_000;

/** Takes pods from nodes whose taints they do not bear any longer, and pods of nodes that are gone out of the API. */
export class PodEvictionController extends QueuedController {
  /** When a pod was first seen on a node that is not there. */
  readonly #orphanedMs = new Map<string, number>();

  constructor(context: ControllerContext) {
    super(context, { name: 'taint-eviction-controller' });
    const { cache } = context;
    this.hear(
      onWorkloadChange(cache, 'Pod', (key) => {
        const pod = cache.tables.Pod.get(key);
        if (pod === undefined) this.#orphanedMs.delete(key);
        else if (this.#concerns(pod)) this.look(key);
      }),
    );
    this.hear(
      cache.tables.Node.listen((now, previous) => {
        if (now !== undefined && canonical(now.spec?.taints) === canonical(previous?.spec?.taints)) return;
        for (const { metadata } of cache.tables.Pod.by('node', (now ?? previous!).metadata.name))
          this.look(`${metadata.namespace ?? ''}/${metadata.name}`);
      }),
    );
  }

  #nodeOf(pod: Pod): Node | undefined {
    return this.context.cache.tables.Node.get(pod.spec?.nodeName ?? '');
  }

  #concerns(pod: Pod): boolean {
    if ((pod.spec?.nodeName ?? '') === '') return false;
    const node = this.#nodeOf(pod);
    return node === undefined || (node.spec?.taints ?? []).some(({ effect }) => effect === 'NoExecute');
  }

  protected override async reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.context;
    const pod = cache.tables.Pod.get(key);
    if (pod === undefined || (pod.spec?.nodeName ?? '') === '') return undefined;
    const node = this.#nodeOf(pod);
    if (node === undefined) return this.#orphan(key, pod);
    this.#orphanedMs.delete(key);
    if (isTerminating(pod)) return undefined;
    const taints = (node.spec?.taints ?? []).filter(({ effect }) => effect === 'NoExecute');
    const stay = stayMs(taints, pod.spec?.tolerations);
    if (stay === undefined) return undefined;
    const added = taints
      .map(({ timeAdded }) => Date.parse(timeAdded ?? ''))
      .filter((time) => !Number.isNaN(time));
    const leftMs = stay === 0 ? 0 : Math.min(clock.nowMs(), ...added) + stay - clock.nowMs();
    if (leftMs > 0) return leftMs;
    this.tell(pod, 'TaintManagerEviction', `Marking for deletion Pod ${key}`);
    await writer.delete('Pod', pod);
    return undefined;
  }

  async #orphan(key: string, pod: Pod): Promise<number | undefined> {
    const { writer, clock } = this.context;
    const sinceMs = this.#orphanedMs.get(key) ?? clock.nowMs();
    this.#orphanedMs.set(key, sinceMs);
    const leftMs = sinceMs + orphanQuarantineMs - clock.nowMs();
    if (leftMs > 0) return leftMs;
    await writer.delete('Pod', pod, { gracePeriodSeconds: 0 });
    return undefined;
  }
}
