import type { ControllerContext } from '../controller.ts';
import type { PodTemplate, StatefulSet } from '../objects.ts';
import { claimedPods, inGrowingBatches, onPodChange, onWorkloadChange } from '../pods/pod-family.ts';
import { podOf } from '../pods/pod-template.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { keepRevisions } from '../revisions/keep-revisions.ts';
import { hashOfRevision, revisionHashLabel } from '../revisions/revision-plan.ts';
import type { RevisionData } from '../revisions/revision-plan.ts';
import { planStateful } from './stateful-plan.ts';

/** Gives each StatefulSet its pods, by name and in order. Volume claims are not made: a lab has no storage. */
export class StatefulSetController extends QueuedController {
  constructor(context: ControllerContext) {
    super(context, { name: 'statefulset-controller' });
    const { cache } = context;
    const look = (key: string): void => this.look(key);
    this.hear(onWorkloadChange(cache, 'StatefulSet', look));
    this.hear(onPodChange(cache, 'StatefulSet', look));
  }

  protected override async reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.context;
    const set = cache.tables.StatefulSet.get(key);
    if (set === undefined || set.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = await claimedPods(cache, writer, set);
    const hash = await keepRevisions(this.context, set, pods);
    const templates = this.#templates(set);
    const known = new Set(templates.keys());
    const plan = planStateful(set, pods, hash, known, clock.nowMs());
    await inGrowingBatches(plan.remove, async (pod) => {
      await writer.delete('Pod', pod);
      const message = `delete Pod ${pod.metadata.name} in StatefulSet ${set.metadata.name} successful`;
      this.tell(set, 'SuccessfulDelete', message);
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
    const revisions = this.context.cache.tables.ControllerRevision.by('owner', metadata.uid);
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
    const { writer } = this.context;
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
    this.tell(set, 'SuccessfulCreate', message);
  }
}
