import { formatTime, patchType } from '@ambient/kube';

import { isOvertaken } from '../queue/work-queue.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import type { ControllerContext } from '../controller.ts';
import type { Pod } from '../objects.ts';
import { conditionOf, isActive } from '../pods/pod-state.ts';
import { onWorkloadChange } from '../pods/pod-family.ts';
import { canonical } from '../cache/canonical.ts';
import { chooseNode } from './choose-node.ts';
import type { Candidate } from './choose-node.ts';

const component = 'default-scheduler';

/** Gives pods their nodes. A pod that no node will do for is looked at again when nodes change or a pod ends. */
export class Scheduler extends QueuedController {
  /** Pods that were given a node the watch has not told of yet, by node. */
  readonly #sent = new Map<string, Map<string, Pod>>();
  readonly #unschedulable = new Set<string>();

  constructor(context: ControllerContext) {
    super(context, { name: component, parallel: 16 });
    const { cache } = context;
    this.hear(
      onWorkloadChange(cache, 'Pod', (key) => {
        const pod = cache.tables.Pod.get(key);
        if (pod === undefined || (pod.spec?.nodeName ?? '') !== '') this.#forget(key);
        if (pod === undefined || !isActive(pod)) this.#lookAtUnschedulable();
        else if (waits(pod)) this.look(key);
      }),
    );
    this.hear(
      cache.tables.Node.listen((now, previous) => {
        const relevant = (node: typeof now): string =>
          canonical([node?.metadata.labels, node?.spec, node?.status?.allocatable]);
        if (relevant(now) !== relevant(previous)) this.#lookAtUnschedulable();
      }),
    );
  }

  #lookAtUnschedulable(): void {
    for (const key of this.#unschedulable) this.look(key);
  }

  #forget(key: string): void {
    this.#unschedulable.delete(key);
    for (const sent of this.#sent.values()) sent.delete(key);
  }

  protected override async reconcile(key: string): Promise<undefined> {
    const { cache, writer } = this.context;
    const pod = cache.tables.Pod.get(key);
    if (pod === undefined || !waits(pod)) return;
    for (const sent of this.#sent.values()) if (sent.has(key)) return;
    const choice = chooseNode(pod, this.#candidates());
    if (choice.kind === 'none') {
      this.#unschedulable.add(key);
      await this.#tellUnschedulable(pod, choice.message);
      return;
    }
    this.#unschedulable.delete(key);
    const sent = this.#sent.get(choice.name) ?? new Map<string, Pod>();
    this.#sent.set(choice.name, sent.set(key, pod));
    try {
      await writer.bind(pod, choice.name);
    } catch (error) {
      sent.delete(key);
      if (!isOvertaken(error)) throw error;
      return;
    }
    this.tell(pod, 'Scheduled', `Successfully assigned ${key} to ${choice.name}`);
  }

  #candidates(): Candidate[] {
    const { Node, Pod } = this.context.cache.tables;
    return [...Node.values()]
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((node) => {
        const { name } = node.metadata;
        return { node, pods: [...Pod.by('node', name), ...(this.#sent.get(name)?.values() ?? [])] };
      });
  }

  async #tellUnschedulable(pod: Pod, message: string): Promise<void> {
    const { writer, clock } = this.context;
    const before = conditionOf(pod.status?.conditions, 'PodScheduled');
    if (before?.status === 'False' && before.message === message) return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime:
        (before?.status === 'False' ? before.lastTransitionTime : undefined) ?? formatTime(clock.nowMs()),
    };
    const options = { subresource: 'status', contentType: patchType.strategicMerge };
    await writer.patch('Pod', pod, { status: { conditions: [condition] } }, options);
    this.tell(pod, 'FailedScheduling', message, 'Warning');
  }
}

/** Whether a pod is this scheduler's to send somewhere. */
function waits(pod: Pod): boolean {
  const { nodeName = '', schedulerName = component, schedulingGates = [] } = pod.spec ?? {};
  return nodeName === '' && schedulerName === component && schedulingGates.length === 0 && isActive(pod);
}
