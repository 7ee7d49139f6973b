import { expect } from 'chai';

import { nodeObject, template, TestCluster, workload } from './cluster.test-data.ts';
import type { ControllerRevision, DaemonSet, Pod } from './objects.ts';

const path = '/apis/apps/v1/namespaces/default/daemonsets/agent';

describe('DaemonSets of the lab', function () {
  this.timeout(30_000);
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start({ nodes: ['one', 'two', 'three'] });
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const complete = (nodes: number): Promise<unknown> =>
    cluster.until(async () => {
      const { status = {}, metadata } = await cluster.get<DaemonSet>(path);
      return (
        status.observedGeneration === metadata.generation &&
        status.desiredNumberScheduled === nodes &&
        status.updatedNumberScheduled === nodes &&
        status.numberAvailable === nodes
      );
    });
  const nodesOf = (pods: readonly Pod[]): unknown[] => pods.map(({ spec }) => spec?.nodeName).toSorted();
  const image = (pod: Pod): unknown => pod.spec?.containers?.[0]?.['image'];

  it('have one pod on each node, also on one that comes later or is cordoned', async () => {
    await cluster.api.load([workload('DaemonSet', 'agent')]);
    await complete(3);
    await cluster.patch('/api/v1/nodes/one', { spec: { unschedulable: true } });
    await cluster.api.load([nodeObject('four')]);
    await complete(4);
    expect(nodesOf(cluster.pods())).to.deep.equal(['four', 'one', 'three', 'two']);
  });

  it('keep to the nodes that their template selects', async () => {
    const chosen = {
      ...template('agent'),
      spec: { nodeSelector: { tier: 'edge' }, containers: [{ name: 'a', image: 'x' }] },
    };
    await cluster.api.load([workload('DaemonSet', 'agent', { template: chosen })]);
    await cluster.quiet();
    expect(cluster.pods()).to.have.length(0);
    await cluster.patch('/api/v1/nodes/two', { metadata: { labels: { tier: 'edge' } } });
    await complete(1);
    await cluster.patch('/api/v1/nodes/two', { metadata: { labels: { tier: null } } });
    await cluster.until(() => Promise.resolve(cluster.pods().length === 0));
  });

  it('update one node after the other, and remember what was before', async () => {
    await cluster.api.load([workload('DaemonSet', 'agent')]);
    await complete(3);
    let most = 0;
    cluster.kubelets.fate = () => {
      const away = 3 - cluster.pods().filter((pod) => pod.status?.phase === 'Running').length;
      most = Math.max(most, away);
      return 'ready';
    };
    await cluster.patch(path, { spec: { template: template('agent', 'example/app:2') } });
    await complete(3);
    expect(most).to.equal(1);
    const revisions = await cluster.list<ControllerRevision>(
      '/apis/apps/v1/namespaces/default/controllerrevisions',
    );
    expect(revisions.map(({ revision }) => revision).toSorted()).to.deep.equal([1, 2]);
    await cluster.patch(path, { spec: { template: template('agent') } });
    await complete(3);
    expect(new Set(cluster.pods().map(image))).to.deep.equal(new Set(['example/app:1']));
  });

  it('update with the new pod first, where they may surge', async () => {
    const updateStrategy = { rollingUpdate: { maxSurge: 1, maxUnavailable: 0 } };
    await cluster.api.load([workload('DaemonSet', 'agent', { updateStrategy })]);
    await complete(3);
    await cluster.patch(path, { spec: { template: template('agent', 'example/app:2') } });
    let most = 0;
    await cluster.until(async () => {
      most = Math.max(
        most,
        cluster.pods().filter((pod) => pod.metadata.deletionTimestamp === undefined).length,
      );
      const { status = {}, metadata } = await cluster.get<DaemonSet>(path);
      return status.observedGeneration === metadata.generation && status.updatedNumberScheduled === 3;
    });
    await complete(3);
    expect(most).to.equal(4);
    await cluster.quiet();
    expect(cluster.pods().map(image)).to.deep.equal(Array(3).fill('example/app:2'));
  });

  it('leave pods alone until they are deleted, with OnDelete', async () => {
    await cluster.api.load([workload('DaemonSet', 'agent', { updateStrategy: { type: 'OnDelete' } })]);
    await complete(3);
    await cluster.patch(path, { spec: { template: template('agent', 'example/app:2') } });
    await cluster.quiet();
    expect(new Set(cluster.pods().map(image))).to.deep.equal(new Set(['example/app:1']));
    await cluster.delete(`/api/v1/namespaces/default/pods/${cluster.pods()[0]!.metadata.name}`);
    await cluster.until(() => Promise.resolve(cluster.pods().some((pod) => image(pod) === 'example/app:2')));
  });
});
