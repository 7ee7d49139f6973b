import { expect } from 'chai';

import { TestCluster, workload } from './cluster.test-data.ts';
import type { Fate } from './cluster.test-data.ts';
import type { EndpointSlice } from './objects.ts';

const slices =
  '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dweb';

describe('EndpointSlices of the lab', function () {
  this.timeout(30_000);
  let cluster: TestCluster;
  beforeEach(async () => {
    cluster = await TestCluster.start();
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const service = (spec: object = {}): Record<string, unknown> => ({
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name: 'web', namespace: 'default' },
    spec: { selector: { app: 'web' }, ports: [{ name: 'http', port: 80, targetPort: 'http' }], ...spec },
  });
  const endpoints = async (): Promise<NonNullable<EndpointSlice['endpoints']>> =>
    (await cluster.list<EndpointSlice>(slices)).flatMap(({ endpoints }) => endpoints ?? []);
  const ready = (count: number): Promise<unknown> =>
    cluster.until(
      async () => (await endpoints()).filter(({ conditions }) => conditions?.ready).length === count,
    );

  it('follow readiness, and the end of pods', async () => {
    let fate: Fate = 'ready';
    cluster.kubelets.fate = (pod) => (pod.metadata.name.endsWith('-0') ? fate : 'ready');
    await cluster.api.load([service(), workload('StatefulSet', 'web', { replicas: 2, serviceName: 'web' })]);
    await ready(2);
    fate = 'unready';
    cluster.kubelets.lookAgain();
    await ready(1);
    fate = 'ready';
    cluster.kubelets.lookAgain();
    await ready(2);
    cluster.kubelets.ends = () => false;
    await cluster.delete('/api/v1/namespaces/default/pods/web-1');
    await ready(1);
    const ending = (await endpoints()).find(({ conditions }) => conditions?.terminating);
    expect(ending?.conditions).to.deep.equal({ ready: false, serving: true, terminating: true });
    expect(ending)
      .to.have.property('zone')
      .that.matches(/^zone-/);
  });

  it('are of both families, headless ones marked, and vanish with their Service', async () => {
    await cluster.api.load([
      service({ clusterIP: 'None', ipFamilyPolicy: 'RequireDualStack' }),
      workload('Deployment', 'web', { replicas: 2 }),
    ]);
    await ready(4);
    const all = await cluster.list<EndpointSlice>(slices);
    expect(all.map(({ addressType }) => addressType).toSorted()).to.deep.equal(['IPv4', 'IPv6']);
    expect(all.map(({ metadata }) => metadata.labels?.['service.kubernetes.io/headless'])).to.deep.equal([
      '',
      '',
    ]);
    await cluster.delete('/api/v1/namespaces/default/services/web');
    await cluster.until(async () => (await cluster.list(slices)).length === 0);
  });

  it('are nobody else’s: those of a Service without a selector are left alone', async () => {
    await cluster.api.load([
      { ...service(), spec: { ports: [{ port: 80 }] } },
      {
        apiVersion: 'discovery.k8s.io/v1',
        kind: 'EndpointSlice',
        metadata: { name: 'own', namespace: 'default', labels: { 'kubernetes.io/service-name': 'web' } },
        addressType: 'IPv4',
        endpoints: [{ addresses: ['10.1.2.3'] }],
      },
    ]);
    await cluster.quiet();
    expect((await cluster.list<EndpointSlice>(slices)).map(({ metadata }) => metadata.name)).to.deep.equal([
      'own',
    ]);
  });
});
