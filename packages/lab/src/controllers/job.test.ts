import { expect } from 'chai';

import { TestCluster } from './cluster.test-data.ts';
import type { Job, Pod } from './objects.ts';
import { planJob } from './job/job-plan.ts';

const path = '/apis/batch/v1/namespaces/default/jobs/task';
const nowMs = Date.UTC(2026, 0, 1);

function jobObject(spec: object): Record<string, unknown> {
  const template = { spec: { restartPolicy: 'Never', containers: [{ name: 'c', image: 'example/task' }] } };
  return {
    apiVersion: 'batch/v1',
    kind: 'Job',
    metadata: { name: 'task', namespace: 'default', uid: 'j' },
    spec: { template, ...spec },
  };
}

function pod(name: string, phase: string, atMs = nowMs): Pod {
  return {
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { name, namespace: 'default', uid: name, creationTimestamp: new Date(atMs).toISOString() },
    status: { phase },
  };
}

const plan = (spec: object, pods: Pod[], status: object = {}): ReturnType<typeof planJob> =>
  planJob({ ...jobObject(spec), status } as unknown as Job, pods, nowMs);

describe('planJob', () => {
  it('runs so many at once, and no more than are still needed', () => {
    expect(plan({ parallelism: 3, completions: 5 }, []).create).to.have.length(3);
    const pods = [pod('a', 'Succeeded'), pod('b', 'Succeeded'), pod('c', 'Succeeded'), pod('d', 'Running')];
    expect(plan({ parallelism: 3, completions: 5 }, pods).create).to.have.length(1);
  });

  it('doubles the pause after each failure', () => {
    const once = plan({ completions: 1 }, [pod('a', 'Failed')]);
    expect([once.create.length, once.lookAgainMs]).to.deep.equal([0, 10_000]);
    const twice = plan({ completions: 1 }, [pod('a', 'Failed', nowMs - 15_000), pod('b', 'Failed')]);
    expect([twice.create.length, twice.lookAgainMs]).to.deep.equal([0, 20_000]);
    expect(plan({ completions: 1 }, [pod('a', 'Failed', nowMs - 10_000)]).create).to.have.length(1);
  });

  it('gives up beyond the limit, and takes what runs away', () => {
    const { status, remove } = plan({ completions: 2, backoffLimit: 0 }, [
      pod('a', 'Failed'),
      pod('b', 'Running'),
    ]);
    expect(status.conditions?.[0]).to.include({ type: 'Failed', reason: 'BackoffLimitExceeded' });
    expect(remove.map(({ metadata }) => metadata.name)).to.deep.equal(['b']);
  });

  it('gives up when its time is over', () => {
    const startTime = new Date(nowMs - 5000).toISOString();
    const late = plan({ completions: 1, activeDeadlineSeconds: 5 }, [pod('a', 'Running')], { startTime });
    expect(late.status.conditions?.[0]).to.include({ type: 'Failed', reason: 'DeadlineExceeded' });
    const early = plan({ completions: 1, activeDeadlineSeconds: 8 }, [pod('a', 'Running')], { startTime });
    expect(early.lookAgainMs).to.equal(3000);
  });

  it('keeps counts of pods that are gone', () => {
    const { status, create } = plan({ completions: 3, parallelism: 1 }, [], { succeeded: 2, failed: 1 });
    expect([status.succeeded, status.failed, create.length]).to.deep.equal([2, 1, 1]);
  });

  it('runs the indexes that are left', () => {
    const spec = { completions: 5, parallelism: 5, completionMode: 'Indexed' };
    const done = pod('a', 'Succeeded');
    const first = {
      ...done,
      metadata: { ...done.metadata, annotations: { 'batch.kubernetes.io/job-completion-index': '1' } },
    };
    const { create, status } = plan(spec, [first], { completedIndexes: '3-4' });
    expect(create).to.deep.equal([0, 2]);
    expect([status.completedIndexes, status.succeeded]).to.deep.equal(['1,3-4', 3]);
  });

  it('is deleted when its time after the end is over', () => {
    const lastTransitionTime = new Date(nowMs - 5000).toISOString();
    const conditions = [{ type: 'Complete', status: 'True', lastTransitionTime }];
    expect(plan({ ttlSecondsAfterFinished: 5 }, [], { conditions }).expired).to.equal(true);
    expect(plan({ ttlSecondsAfterFinished: 6 }, [], { conditions })).to.include({
      expired: false,
      lookAgainMs: 1000,
    });
  });
});

describe('Jobs of the lab', function () {
  this.timeout(30_000);
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const ended = (type: string): Promise<Job> =>
    cluster.until(async () => {
      const job = await cluster.get<Job>(path);
      return job.status?.conditions?.some((each) => each.type === type && each.status === 'True') && job;
    });

  it('complete when enough pods have succeeded', async () => {
    cluster.kubelets.fate = () => 'succeed';
    await cluster.api.load([jobObject({ completions: 5, parallelism: 2 })]);
    const { status } = await ended('Complete');
    expect(status).to.include({ succeeded: 5, active: 0 });
    expect(status).to.have.property('completionTime');
  });

  it('fail when too many pods have failed, and leave those to be looked at', async () => {
    cluster.kubelets.fate = () => 'fail';
    await cluster.api.load([jobObject({ completions: 5, parallelism: 3, backoffLimit: 2 })]);
    const { status } = await ended('Failed');
    expect(status).to.include({ failed: 3 });
    expect(cluster.pods()).to.have.length(3);
  });

  it('run nothing while suspended', async () => {
    await cluster.api.load([jobObject({ completions: 1, suspend: true })]);
    await ended('Suspended');
    expect(cluster.pods()).to.have.length(0);
    await cluster.patch(path, { spec: { suspend: false } });
    await cluster.until(() => Promise.resolve(cluster.pods().length === 1));
    await cluster.patch(path, { spec: { suspend: true } });
    await cluster.until(() => Promise.resolve(cluster.pods().length === 0));
  });
});
