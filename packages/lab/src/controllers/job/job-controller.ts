import type { Controller, ControllerContext } from '../controller.ts';
import type { Container, Job, PodSpec } from '../objects.ts';
import {
  candidatePods,
  claimed,
  inGrowingBatches,
  onPodChange,
  onWorkloadChange,
} from '../pods/pod-family.ts';
import { podOf } from '../pods/pod-template.ts';
import { WorkQueue } from '../queue/work-queue.ts';
import { indexAnnotation, planJob } from './job-plan.ts';

const component = 'job-controller';

/** Runs the pods of each Job until enough have succeeded or too many have failed. */
export class JobController implements Controller {
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
      gatherMs: 5,
      reconcile: (key) => this.#reconcile(key),
    });
    const look = (key: string): void => this.#queue.add(key);
    this.#listening.use(onWorkloadChange(cache, 'Job', look));
    this.#listening.use(onPodChange(cache, 'Job', look));
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
    const job = cache.tables.Job.get(key);
    if (job === undefined || job.metadata.deletionTimestamp !== undefined) return undefined;
    const { selector } = job.spec ?? {};
    const pods = await claimed(writer, 'Pod', job, selector, candidatePods(cache, job, selector));
    const plan = planJob(job, pods, clock.nowMs());
    if (plan.expired) {
      await writer.delete('Job', job);
      return undefined;
    }
    await inGrowingBatches(plan.remove, async (pod) => {
      await writer.delete('Pod', pod);
      this.#tell(job, 'Normal', 'SuccessfulDelete', `Deleted pod: ${pod.metadata.name}`);
    });
    await inGrowingBatches(plan.create, (index) => this.#create(job, index));
    const now = [...cache.tables.Pod.by('owner', job.metadata.uid)];
    const after = planJob(job, now, clock.nowMs());
    await writer.status('Job', job, after.status);
    const last = after.status.conditions?.at(-1);
    if (last !== undefined && after.status.conditions?.length !== job.status?.conditions?.length)
      this.#tell(
        job,
        last.type === 'Failed' ? 'Warning' : 'Normal',
        last.reason ?? last.type,
        last.message ?? '',
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
    const { metadata } = await this.#context.writer.create('Pod', named);
    this.#tell(job, 'Normal', 'SuccessfulCreate', `Created pod: ${metadata.name}`);
  }

  #tell(job: Job, type: 'Normal' | 'Warning', reason: string, message: string): void {
    this.#context.events.record(component, job, { type, reason, message });
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
