import type { ControllerContext } from '../controller.ts';
import type { Container, Job, PodSpec } from '../objects.ts';
import { claimedPods, inGrowingBatches, onPodChange, onWorkloadChange } from '../pods/pod-family.ts';
import { podOf } from '../pods/pod-template.ts';
import { QueuedController } from '../queue/queued-controller.ts';
import { indexAnnotation, planJob } from './job-plan.ts';

/** Runs the pods of each Job until enough have succeeded or too many have failed. */
export class JobController extends QueuedController {
  constructor(context: ControllerContext) {
    super(context, { name: 'job-controller', gatherMs: 5 });
    const { cache } = context;
    const look = (key: string): void => this.look(key);
    this.hear(onWorkloadChange(cache, 'Job', look));
    this.hear(onPodChange(cache, 'Job', look));
  }

  protected override async reconcile(key: string): Promise<number | undefined> {
    const { cache, writer, clock } = this.context;
    const job = cache.tables.Job.get(key);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
    const pods = await claimedPods(cache, writer, job);
    const plan = planJob(job, pods, clock.nowMs());
    if (plan.expired) {
      await writer.delete('Job', job);
      return undefined;
    }
    await inGrowingBatches(plan.remove, async (pod) => {
      await writer.delete('Pod', pod);
      this.tell(job, 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    });
    await inGrowingBatches(plan.create, (index) => this.#create(job, index));
    const now = [...cache.tables.Pod.by('owner', job.metadata.uid)];
    const after = planJob(job, now, clock.nowMs());
    await writer.status('Job', job, after.status);
    const last = after.status.conditions?.at(-1);
    if (last !== undefined && after.status.conditions?.length !== job.status?.conditions?.length)
      this.tell(
        job,
        last.reason ?? last.type,
        last.message ?? '',
        last.type === 'Failed' ? 'Warning' : 'Normal',
      );
    return after.lookAgainMs;
  }

  async #create(job: Job, index: number | undefined): Promise<void> {
    const { template = {} } = job.spec ?? {};
    const pod = podOf(job, template, index === undefined ? {} : indexed(job, template.spec, index));
    const named =
      index === undefined
        ? pod
        : { ...pod, metadata: { ...pod.metadata, generateName: `${job.metadata.name}-${index}-` } };
    const { metadata } = await this.context.writer.create('Pod', named);
    this.tell(job, 'SuccessfulCreate', `Created pod: ${metadata.name}`);
  }
}

/** What tells a pod of an indexed Job which one it is. */
function indexed(
  job: Job,
  spec: PodSpec | undefined,
  index: number,
): { labels: Record<string, string>; annotations: Record<string, string>; spec: PodSpec } {
  const value = String(index);
  const withIndex = (container: Container): Container => ({
    ...container,
    env: [...(container.env ?? []), { name: 'JOB_COMPLETION_INDEX', value }],
  });
  return {
    labels: { [indexAnnotation]: value },
    annotations: { [indexAnnotation]: value },
    spec: { hostname: `${job.metadata.name}-${value}`, containers: (spec?.containers ?? []).map(withIndex) },
  };
}
