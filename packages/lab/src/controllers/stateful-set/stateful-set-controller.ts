import type { Controller, ControllerContext } from '../controller.ts';
import type { PodTemplate, StatefulSet } from '../objects.ts';
import {
  candidatePods,
  claimed,
  inGrowingBatches,
  onPodChange,
  onWorkloadChange,
} from '../pods/pod-family.ts';
import { podOf } from '../pods/pod-template.ts';
import { WorkQueue } from '../queue/work-queue.ts';
import { keepRevisions } from '../revisions/keep-revisions.ts';
import { hashOfRevision, revisionHashLabel } from '../revisions/revision-plan.ts';
import type { RevisionData } from '../revisions/revision-plan.ts';
import { planStateful } from './stateful-plan.ts';

const component = 'statefulset-controller';

/** Gives each StatefulSet its pods, by name and in order. Volume claims are not made: a lab has no storage. */
export class StatefulSetController implements Controller {
  readonly #context: ControllerContext;
  readonly #queue: WorkQueue;
  readonly #listening = new DisposableStack();

  constructor(context: ControllerContext) {
    const { cache, log, clock } = context;
    this.#context = context;
    this.#queue = new WorkQueue({ name: component, log, clock, reconcile: (key) => this.#reconcile(key) });
    const look = (key: string): void => this.#queue.add(key);
    this.#listening.use(onWorkloadChange(cache, 'StatefulSet', look));
    this.#listening.use(onPodChange(cache, 'StatefulSet', look));
  }

  get idle(): boolean {
    return this.#queue.idle;
  }

  async stop(): Promise<void> {
    this.#listening.dispose();
    await this.#queue.stop();
  }

  async #reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock, events } = this.#context;
    const set = cache.tables.StatefulSet.get(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
    const { selector } = set.spec ?? {};
    const pods = await claimed(writer, 'Pod', set, selector, candidatePods(cache, set, selector));
    const hash = await keepRevisions(this.#context, set, pods);
    const templates = this.#templates(set);
    const known = new Set(templates.keys());
    const plan = planStateful(set, pods, hash, known, clock.nowMs());
    await inGrowingBatches(plan.remove, async (pod) => {
      await writer.delete('Pod', pod);
      const message = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
      events.record(component, set, { type: 'Normal', reason: 'SuccessfulDelete', message });
    });
    await inGrowingBatches(plan.create, (each) =>
      this.#create(set, each.ordinal, each.hash, templates.get(each.hash)),
    );
    const now = [...cache.tables.Pod.by('owner', set.metadata.uid)];
    const after = planStateful(set, now, hash, known, clock.nowMs());
    await writer.status('StatefulSet', set, after.status);
    return after.lookAgainMs;
  }

  #templates({ metadata }: StatefulSet): ReadonlyMap<string, PodTemplate> {
    const revisions = this.#context.cache.tables.ControllerRevision.by('owner', metadata.uid);
    return new Map(
      [...revisions].map((each) => {
        const { $patch: _, ...template } = (each.data as RevisionData).spec.template as PodTemplate & {
          readonly $patch?: string;
        };
        return [hashOfRevision(each), template];
      }),
    );
  }

  async #create(
    set: StatefulSet,
    ordinal: number,
    hash: string,
    template: PodTemplate | undefined,
  ): Promise<void> {
    const { writer, events } = this.#context;
    const name = `${set.metadata.name}-${ordinal}`;
    const { serviceName } = set.spec ?? {};
    await writer.create(
      'Pod',
      podOf(set, template ?? set.spec?.template ?? {}, {
        name,
        labels: {
          [revisionHashLabel]: hash,
          'statefulset.kubernetes.io/pod-name': name,
          'apps.kubernetes.io/pod-index': String(ordinal),
        },
        spec: { hostname: name, ...(serviceName === undefined ? {} : { subdomain: serviceName }) },
      }),
    );
    const message = `create Pod ${name} in StatefulSet ${set.metadata.name} successful`;
    events.record(component, set, { type: 'Normal', reason: 'SuccessfulCreate', message });
  }
}
