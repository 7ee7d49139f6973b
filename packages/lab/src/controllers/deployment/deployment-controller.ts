import { KubeStatusError } from '@ambient/kube';

import type { ControllerContext } from '../controller.ts';
import type { Deployment, ReplicaSet } from '../objects.ts';
import { claimed, onWorkloadChange } from '../pods/pod-family.ts';
import { controlledBy, hashOf } from '../pods/pod-template.ts';
import { isFinished } from '../pods/pod-state.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { deploymentReport } from './deployment-status.ts';
import { annotationsOf, revisionAnnotation, revisionOf, revisionsOf } from './revisions.ts';
import { sizeAnnotations, templateHashLabel } from './revisions.ts';
import type { Revisions } from './revisions.ts';
import { limitsOf, outdated, planRollout, sizeOf } from './rollout-plan.ts';

/** Moves each Deployment to its template, one ReplicaSet per revision. */
export class DeploymentController extends QueuedController {
  constructor(context: ControllerContext) {
    super(context, { name: 'deployment-controller', gatherMs: 5 });
    const { cache } = context;
    const look = (key: string): void => this.look(key);
    this.hear(onWorkloadChange(cache, 'Deployment', look));
    const lookAtOwner = (set: ReplicaSet): void => {
      const owner = set.metadata.ownerReferences?.find((each) => each.controller === true);
      if (owner?.kind === 'Deployment') look(`${set.metadata.namespace ?? ''}/${owner.name}`);
    };
    this.hear(cache.tables.ReplicaSet.listen((now, previous) => lookAtOwner(now ?? previous!)));
    // Recreation waits for the last pod of the old revision.
    this.hear(
      cache.tables.Pod.listen((pod, previous) => {
        if (pod !== undefined) return;
        const owner = previous?.metadata.ownerReferences?.find((each) => each.kind === 'ReplicaSet');
        const set = cache.tables.ReplicaSet.get(`${previous?.metadata.namespace ?? ''}/${owner?.name ?? ''}`);
        if (set !== undefined) lookAtOwner(set);
      }),
    );
  }

  protected override async reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.context;
    const deployment = cache.tables.Deployment.get(key);
    if (deployment === undefined) return undefined;
    const candidates = [...cache.tables.ReplicaSet.by('namespace', deployment.metadata.namespace ?? '')];
    const sets = await claimed(writer, 'ReplicaSet', deployment, deployment.spec?.selector, candidates);
    let revisions = revisionsOf(deployment, sets);
    const plan = planRollout(deployment, revisions, this.#podsLeft(revisions.old));
    const { current } = revisions;
    const created = plan.create !== undefined && current === undefined;
    if (created)
      revisions = { ...revisions, current: await this.#create(deployment, revisions, plan.create) };
    for (const { set, replicas } of plan.resize) await this.#resize(deployment, set, replicas);
    await this.#annotate(deployment, revisions);
    const report = deploymentReport(deployment, this.#fresh(revisions), clock.nowMs(), created);
    await writer.status('Deployment', deployment, report.status);
    if (report.status.replicas === report.status.updatedReplicas)
      for (const set of outdated(deployment, revisions)) await writer.delete('ReplicaSet', set);
    return report.lookAgainMs;
  }

  #fresh({ current, old, revision }: Revisions): Revisions {
    const table = this.context.cache.tables.ReplicaSet;
    const now = (set: ReplicaSet): ReplicaSet =>
      table.get(`${set.metadata.namespace ?? ''}/${set.metadata.name}`) ?? set;
    return { current: current === undefined ? undefined : now(current), old: old.map(now), revision };
  }

  #podsLeft(sets: readonly ReplicaSet[]): boolean {
    const pods = this.context.cache.tables.Pod;
    return sets.some(({ metadata }) => [...pods.by('owner', metadata.uid)].some((pod) => !isFinished(pod)));
  }

  async #create(deployment: Deployment, revisions: Revisions, replicas: number): Promise<ReplicaSet> {
    const { writer } = this.context;
    const { template = {}, selector = {}, minReadySeconds } = deployment.spec ?? {};
    const hash = hashOf(template, deployment.status?.collisionCount);
    const labels = { ...template.metadata?.labels, [templateHashLabel]: hash };
    const { name, namespace } = deployment.metadata;
    const { wanted, maxSurge } = limitsOf(deployment);
    try {
      const set = await writer.create('ReplicaSet', {
        metadata: {
          name: `${name}-${hash}`,
          ...(namespace === undefined ? {} : { namespace }),
          labels,
          annotations: annotationsOf(deployment, undefined, revisions.revision, wanted + maxSurge),
          ownerReferences: [controlledBy(deployment)],
        },
        spec: {
          replicas,
          ...(minReadySeconds === undefined ? {} : { minReadySeconds }),
          selector: {
            ...selector,
            matchLabels: { ...selector.matchLabels, [templateHashLabel]: hash },
          },
          template: { ...template, metadata: { ...template.metadata, labels } },
        },
      });
      this.#scaled(deployment, set, 0, replicas);
      return set;
    } catch (error) {
      // The name is another's: the next look takes another hash, unless the set is this one's after all.
      if (error instanceof KubeStatusError && error.reason === 'AlreadyExists') {
        const taken = this.context.cache.tables.ReplicaSet.get(`${namespace ?? ''}/${name}-${hash}`);
        if (taken !== undefined)
          await writer.status('Deployment', deployment, {
            ...deployment.status,
            collisionCount: (deployment.status?.collisionCount ?? 0) + 1,
          });
      }
      throw error;
    }
  }

  async #resize(deployment: Deployment, set: ReplicaSet, replicas: number): Promise<void> {
    const { wanted, maxSurge } = limitsOf(deployment);
    const annotations = sizeAnnotations(deployment, wanted + maxSurge);
    await this.context.writer.patch('ReplicaSet', set, { metadata: { annotations }, spec: { replicas } });
    this.#scaled(deployment, set, sizeOf(set), replicas);
  }

  /** Keeps annotations, and what else the current set shares with its Deployment, in step. */
  async #annotate(deployment: Deployment, revisions: Revisions): Promise<void> {
    const { writer } = this.context;
    const { wanted, maxSurge } = limitsOf(deployment);
    const { current, old } = this.#fresh(revisions);
    if (current === undefined) return;
    const annotations = annotationsOf(deployment, current, revisions.revision, wanted + maxSurge);
    const before = current.metadata.annotations ?? {};
    const { minReadySeconds = 0 } = deployment.spec ?? {};
    const differs = Object.entries(annotations).some(([key, value]) => before[key] !== value);
    let latest = current;
    if (differs || (current.spec?.minReadySeconds ?? 0) !== minReadySeconds)
      latest = await writer.patch('ReplicaSet', current, {
        metadata: { annotations },
        spec: { minReadySeconds },
      });
    const sizes = Object.entries(sizeAnnotations(deployment, wanted + maxSurge));
    for (const set of old)
      if (sizeOf(set) > 0 && sizes.some(([key, value]) => set.metadata.annotations?.[key] !== value))
        await writer.patch('ReplicaSet', set, { metadata: { annotations: Object.fromEntries(sizes) } });
    const revision = revisionOf(latest);
    if (revisionOf(deployment) !== revision)
      await writer.patch('Deployment', deployment, {
        metadata: { annotations: { [revisionAnnotation]: String(revision) } },
      });
  }

  #scaled(deployment: Deployment, set: ReplicaSet, from: number, to: number): void {
    const direction = to > from ? 'up' : 'down';
    const message = `Scaled ${direction} replica set ${set.metadata.name} from ${from} to ${to}`;
    this.tell(deployment, 'ScalingReplicaSet', message);
  }
}
