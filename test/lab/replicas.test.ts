// Several replicas of a control plane: all serve the same, one leads, and what one leaves another takes up.
import { expect } from 'chai';

import type { Condition } from '@ambient/kube';
import { waitFor } from '@ambient/testkit/lab';
import { DiscoveryRecorder } from './harness/discovery-recorder.ts';
import { runControlPlane } from './harness/run-control-plane.ts';
import type { RunningControlPlane } from './harness/run-control-plane.ts';
import { TestApi } from './harness/test-api.ts';
import type { Manifest } from './harness/test-api.ts';
import { TestObjects } from './harness/test-objects.ts';

const namespace = `replicas-${process.pid}`;
const lease: Manifest = {
  apiVersion: 'coordination.k8s.io/v1',
  kind: 'Lease',
  metadata: { name: 'ambient-leader', namespace: 'istio-system' },
};

function service(name: string): Manifest {
  return {
    apiVersion: 'v1',
    kind: 'Service',
    metadata: { name, namespace },
    spec: { clusterIP: 'None', ports: [{ name: 'http', port: 80 }] },
  };
}

function policy(name: string): Manifest {
  return {
    apiVersion: 'security.istio.io/v1',
    kind: 'AuthorizationPolicy',
    metadata: { name, namespace },
    spec: { rules: [{}] },
  };
}

const served = (name: string): string => `Address ${namespace}/${name}.${namespace}.svc.cluster.local`;

describe('replicas of a control plane', function () {
  this.timeout(60_000);
  let api: TestApi;
  const replicas: RunningControlPlane[] = [];
  let objects: TestObjects;

  before(async () => {
    api = await TestApi.start();
    objects = new TestObjects(api);
    await objects.createNamespace(namespace);
    for (const name of ['one', 'two']) await objects.create(service(name));
    await objects.create(policy('first'));
    replicas.push(await runControlPlane(api, { POD_NAME: 'replica-a' }));
    await holder('replica-a');
    replicas.push(await runControlPlane(api, { POD_NAME: 'replica-b' }));
  });

  after(async () => {
    await objects[Symbol.asyncDispose]();
    for (const replica of replicas) await replica[Symbol.asyncDispose]();
    await api[Symbol.asyncDispose]();
  });

  function holder(name: string): Promise<true> {
    return waitFor(async () => {
      const found = await api.find(lease);
      return (found?.spec as { holderIdentity?: string } | undefined)?.holderIdentity === name
        ? true
        : undefined;
    }, `lead of ${name}`);
  }

  function judged(object: Manifest): Promise<Condition> {
    return waitFor(async () => {
      const { status } = await api.get(object);
      return (status as { conditions?: Condition[] } | undefined)?.conditions?.[0];
    }, `condition of ${object.metadata.name}`);
  }

  const connect = (replica: number, holds: Readonly<Record<string, string>> = {}): DiscoveryRecorder =>
    new DiscoveryRecorder({ address: `127.0.0.1:${replicas[replica]!.ports.plaintextXds}`, holds });

  it('serve the same resources in the same versions', async () => {
    using a = connect(0);
    using b = connect(1);
    await Promise.all([a.ready(), b.ready()]);
    expect(a.resources).to.have.property(served('one'));
    expect(b.resources).to.deep.equal(a.resources);
    expect(b.versions).to.deep.equal(a.versions);
  });

  it('send a client that comes over nothing that it holds, and take back what is gone', async () => {
    using a = connect(0);
    await a.ready();
    const gone = served('never-was');
    using b = connect(1, { ...a.versions, [gone]: 'v' });
    await b.ready();
    expect(b.history).to.deep.equal([`-${gone}`]);
  });

  it('go on when the one that leads leaves: its clients move, those of the other notice nothing', async () => {
    const [leader] = replicas;
    using left = connect(0);
    using kept = connect(1);
    await Promise.all([left.ready(), kept.ready()]);
    await judged(policy('first'));
    await leader![Symbol.asyncDispose]();
    await left.ended();
    await holder('replica-b');

    using moved = connect(1, left.versions);
    await moved.ready();
    expect(moved.history).to.deep.equal([]);
    await objects.create(service('three'));
    await objects.create(policy('second'));
    await Promise.all(
      [kept, moved].map((client) => client.until(() => served('three') in client.resources, 'a new Service')),
    );
    expect((await judged(policy('second'))).status).to.equal('True');
    expect(kept.history.filter((key) => key.startsWith('-'))).to.deep.equal([]);
  });
});
