import { isOvertaken, WorkQueue } from '../queue/work-queue.ts';
import type { Controller, ControllerContext } from '../controller.ts';
import type { Pod } from '../objects.ts';
import { conditionOf, isActive, timestamp } from '../pods/pod-state.ts';
import { onWorkloadChange } from '../pods/pod-family.ts';
import { strategicMergePatch } from '../cache/cluster-writer.ts';
import { canonical } from '../cache/canonical.ts';
import { chooseNode } from './choose-node.ts';
import type { Candidate } from './choose-node.ts';

const component = 'default-scheduler';

/** Gives pods their nodes. A pod that no node will do for is looked at again when nodes change or a pod ends. */
export class Scheduler implements Controller {
  readonly #context: ControllerContext;
  readonly #queue: WorkQueue;
  readonly #listening = new DisposableStack();
  /** Pods that were given a node the watch has not told of yet, by node. */
  readonly #sent = new Map<string, Map<string, Pod>>();
  readonly #unschedulable = new Set<string>();

  constructor(context: ControllerContext) {
    const { cache, log, clock } = context;
    this.#context = context;
    this.#queue = new WorkQueue({
      name: component,
      log,
      clock,
      parallel: 16,
      reconcile: (key) => this.#schedule(key),
    });
    this.#listening.use(
      onWorkloadChange(cache, 'Pod', (key) => {
        const pod = cache.tables.Pod.get(key);
        if (pod === undefined || (pod.spec?.nodeName ?? '') !== '') this.#forget(key);
        if (pod === undefined || !isActive(pod)) this.#lookAtUnschedulable();
        else if (waits(pod)) this.#queue.add(key);
      }),
    );
    this.#listening.use(
      cache.tables.Node.listen((now, previous) => {
        const relevant = (node: typeof now): string =>
          canonical([node?.metadata.labels, node?.spec, node?.status?.allocatable]);
        if (relevant(now) !== relevant(previous)) this.#lookAtUnschedulable();
      }),
    );
  }

  get idle(): boolean {
    return this.#queue.idle;
  }

  async stop(): Promise<void> {
    this.#listening.dispose();
    await this.#queue.stop();
  }

  #lookAtUnschedulable(): void {
    for (const key of this.#unschedulable) this.#queue.add(key);
  }

  #forget(key: string): void {
    this.#unschedulable.delete(key);
    for (const sent of this.#sent.values()) sent.delete(key);
  }

  async #schedule(key: string): Promise<undefined> {
    const { cache, writer, events } = this.#context;
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
    const message = `Successfully assigned ${key} to ${choice.name}`;
    events.record(component, pod, { type: 'Normal', reason: 'Scheduled', message });
  }

  #candidates(): Candidate[] {
    const { Node, Pod } = this.#context.cache.tables;
    return [...Node.values()]
      .filter(({ metadata }) => metadata.deletionTimestamp === undefined)
      .map((node) => {
        const { name } = node.metadata;
        return { node, pods: [...Pod.by('node', name), ...(this.#sent.get(name)?.values() ?? [])] };
      });
  }

  async #tellUnschedulable(pod: Pod, message: string): Promise<void> {
    const { writer, events, clock } = this.#context;
    const before = conditionOf(pod.status?.conditions, 'PodScheduled');
    if (before?.status === 'False' && before.message === message) return;
    const condition = {
      type: 'PodScheduled',
      status: 'False',
      reason: 'Unschedulable',
      message,
      lastTransitionTime:
        (before?.status === 'False' ? before.lastTransitionTime : undefined) ?? timestamp(clock.nowMs()),
    };
    const options = { subresource: 'status', contentType: strategicMergePatch };
    await writer.patch('Pod', pod, { status: { conditions: [condition] } }, options);
    events.record(component, pod, { type: 'Warning', reason: 'FailedScheduling', message });
  }
}

/** Whether a pod is this scheduler's to send somewhere. */
function waits(pod: Pod): boolean {
  const { nodeName = '', schedulerName = component, schedulingGates = [] } = pod.spec ?? {};
  return nodeName === '' && schedulerName === component && schedulingGates.length === 0 && isActive(pod);
}
