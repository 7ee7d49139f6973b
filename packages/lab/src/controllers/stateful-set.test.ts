import { expect } from 'chai';

import { template, TestCluster, workload } from './cluster.test-data.ts';
import type { StatefulSet } from './objects.ts';

const path = '/apis/apps/v1/namespaces/default/statefulsets/db';

describe('StatefulSets of the lab', function () {
  this.timeout(30_000);
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const names = (): string[] =>
    cluster
      .pods()
      .map(({ metadata }) => metadata.name)
      .toSorted();
  const complete = (replicas: number): Promise<StatefulSet> =>
    cluster.until(async () => {
      const set = await cluster.get<StatefulSet>(path);
      const { status = {}, metadata } = set;
      return (
        status.observedGeneration === metadata.generation &&
        status.readyReplicas === replicas &&
        status.updatedReplicas === replicas &&
        status.currentRevision === status.updateRevision &&
        set
      );
    });

  it('wait with a pod until the one before it is ready', async () => {
    cluster.kubelets.fate = () => 'unready';
    await cluster.api.load([workload('StatefulSet', 'db', { replicas: 3, serviceName: 'db' })]);
    await cluster.quiet();
    expect(names()).to.deep.equal(['db-0']);
    cluster.kubelets.fate = () => 'ready';
    cluster.kubelets.lookAgain();
    await complete(3);
    expect(names()).to.deep.equal(['db-0', 'db-1', 'db-2']);
    const [pod] = cluster.pods();
    expect(pod?.spec).to.include({ hostname: pod?.metadata.name, subdomain: 'db' });
  });

  it('give a pod that is gone its name again, and shrink from the end', async () => {
    await cluster.api.load([workload('StatefulSet', 'db', { replicas: 3 })]);
    await complete(3);
    const before = cluster.pods().find(({ metadata }) => metadata.name === 'db-1')?.metadata.uid;
    await cluster.delete('/api/v1/namespaces/default/pods/db-1');
    await cluster.until(() =>
      Promise.resolve(
        cluster.pods().some(({ metadata }) => metadata.name === 'db-1' && metadata.uid !== before),
      ),
    );
    await complete(3);
    await cluster.patch(path, { spec: { replicas: 1 } });
    await complete(1);
    await cluster.until(() => Promise.resolve(cluster.pods().length === 1));
    expect(names()).to.deep.equal(['db-0']);
  });

  it('update from the last to the first, down to the partition', async () => {
    const updateStrategy = { rollingUpdate: { partition: 1 } };
    await cluster.api.load([workload('StatefulSet', 'db', { replicas: 3, updateStrategy })]);
    await complete(3);
    await cluster.patch(path, { spec: { template: template('db', 'example/app:2') } });
    await cluster.until(async () => {
      const { status = {} } = await cluster.get<StatefulSet>(path);
      return status.updatedReplicas === 2 && status.readyReplicas === 3;
    });
    await cluster.quiet();
    const images = cluster
      .pods()
      .toSorted((a, b) => (a.metadata.name < b.metadata.name ? -1 : 1))
      .map((pod) => pod.spec?.containers?.[0]?.['image']);
    expect(images).to.deep.equal(['example/app:1', 'example/app:2', 'example/app:2']);
  });
});
