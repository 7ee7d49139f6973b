import { expect } from 'chai';

import { template, TestCluster, workload } from './cluster.test-data.ts';
import type { Deployment, KubeObject, Pod, ReplicaSet } from './objects.ts';

const path = '/apis/apps/v1/namespaces/default/deployments/web';
const sets = '/apis/apps/v1/namespaces/default/replicasets';

function conditionReason(deployment: Deployment, type: string): string | undefined {
  return deployment.status?.conditions?.find((each) => each.type === type)?.reason;
}

describe('Deployments of the lab', function () {
  this.timeout(30_000);
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const complete = (replicas: number): Promise<Deployment> =>
    cluster.until(async () => {
      const deployment = await cluster.get<Deployment>(path);
      const { status = {}, metadata } = deployment;
      return (
        status.observedGeneration === metadata.generation &&
        (status.availableReplicas ?? 0) === replicas &&
        (status.updatedReplicas ?? 0) === replicas &&
        (status.replicas ?? 0) === replicas &&
        deployment
      );
    });
  const image = (pod: Pod): unknown => pod.spec?.containers?.[0]?.['image'];

  it('roll out 50 replicas, then another image, without ever having too few', async () => {
    await cluster.api.load([workload('Deployment', 'web', { replicas: 50 })]);
    const first = await complete(50);
    expect(conditionReason(first, 'Progressing')).to.equal('NewReplicaSetAvailable');
    let fewest = 50;
    let most = 50;
    const watch = (): void => {
      const all = cluster.pods().filter((pod) => pod.metadata.deletionTimestamp === undefined);
      most = Math.max(most, all.length);
      fewest = Math.min(fewest, all.filter((pod) => pod.status?.phase === 'Running').length);
    };
    await cluster.patch(path, { spec: { template: template('web', 'example/app:2') } });
    await cluster.until(async () => {
      watch();
      const { status = {}, metadata } = await cluster.get<Deployment>(path);
      return (
        status.observedGeneration === metadata.generation &&
        status.updatedReplicas === 50 &&
        status.replicas === 50 &&
        status.availableReplicas === 50
      );
    });
    await cluster.quiet();
    expect(new Set(cluster.pods().map(image))).to.deep.equal(new Set(['example/app:2']));
    expect(fewest).to.be.at.least(38);
    expect(most).to.be.at.most(63);
  });

  it('make 200 pods within three seconds of processor time, API and kubelets included', async () => {
    await cluster.api.load([workload('Deployment', 'web', { replicas: 0 })]);
    await complete(0);
    const before = process.cpuUsage();
    await cluster.patch(path, { spec: { replicas: 200 } });
    await complete(200);
    const { user, system } = process.cpuUsage(before);
    expect((user + system) / 1000).to.be.lessThan(3000);
    expect(new Set(cluster.pods().map((pod) => pod.spec?.nodeName)).size).to.equal(2);
  });

  it('number their revisions, and take an old one up again', async () => {
    await cluster.api.load([workload('Deployment', 'web', { replicas: 2 })]);
    await complete(2);
    await cluster.patch(path, { spec: { template: template('web', 'example/app:2') } });
    await complete(2);
    await cluster.patch(path, { spec: { template: template('web') } });
    await complete(2);
    const all = await cluster.list<ReplicaSet>(sets);
    const revisions = all.map((set) => [
      set.spec?.replicas,
      set.metadata.annotations?.['deployment.kubernetes.io/revision'],
    ]);
    expect(revisions.toSorted()).to.deep.equal([
      [0, '2'],
      [2, '3'],
    ]);
    const deployment = await cluster.get<KubeObject>(path);
    expect(deployment.metadata.annotations?.['deployment.kubernetes.io/revision']).to.equal('3');
  });

  it('replace a pod that is deleted, and nothing else', async () => {
    await cluster.api.load([workload('Deployment', 'web', { replicas: 3 })]);
    await complete(3);
    await cluster.quiet();
    const before = cluster.pods().map(({ metadata }) => metadata.name);
    await cluster.delete(`/api/v1/namespaces/default/pods/${before[0]!}`);
    await cluster.quiet();
    const after = cluster.pods().map(({ metadata }) => metadata.name);
    expect(after).to.have.length(3);
    expect(after).to.include.members(before.slice(1)).and.not.include(before[0]);
  });

  it('end with their namespace', async () => {
    await cluster.api.load([
      { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
      { ...workload('Deployment', 'web', { replicas: 5 }), metadata: { name: 'web', namespace: 'shop' } },
    ]);
    await cluster.until(() => Promise.resolve(cluster.pods('shop').length === 5));
    await cluster.delete('/api/v1/namespaces/shop');
    await cluster.until(async () =>
      (await cluster.list<KubeObject>('/api/v1/namespaces')).every(
        ({ metadata }) => metadata.name !== 'shop',
      ),
    );
    expect(cluster.pods('shop')).to.have.length(0);
  });

  it('adopt the pods that match, and let go of one that no longer does', async () => {
    await cluster.api.load([workload('Deployment', 'web', { replicas: 2 })]);
    await complete(2);
    const { name } = cluster.pods()[0]!.metadata;
    await cluster.patch(`/api/v1/namespaces/default/pods/${name}`, {
      metadata: { labels: { app: 'apart' } },
    });
    await cluster.until(() => Promise.resolve(cluster.pods().length === 3));
    const apart = await cluster.get<Pod>(`/api/v1/namespaces/default/pods/${name}`);
    expect(apart.metadata.ownerReferences ?? []).to.have.length(0);
    await complete(2);
  });

  it('cost nothing when nothing happens', async () => {
    await cluster.api.load([workload('Deployment', 'web', { replicas: 3 })]);
    await complete(3);
    await cluster.quiet();
    const before = cluster.controllers.written;
    await cluster.quiet();
    expect(cluster.controllers.written).to.equal(before);
  });
});
