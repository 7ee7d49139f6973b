import { expect } from 'chai';
import { realClock } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';

import { nodeObject, template, TestCluster, workload } from './cluster.test-data.ts';
import type { ConfigMap, EndpointSlice, Node } from './objects.ts';

const slices =
  '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices?labelSelector=kubernetes.io%2Fservice-name%3Dweb';
const leases = '/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases';

/** Real time that can be moved ahead: what is due by then comes at once. */
class MovableClock implements Clock {
  #aheadMs = 0;
  readonly #timers = new Set<{ dueMs: number; fire: () => void }>();

  nowMs(): number {
    return realClock.nowMs() + this.#aheadMs;
  }

  setTimer(ms: number, fn: () => void): Disposable {
    const timer = {
      dueMs: this.nowMs() + ms,
      fire: () => {
        end();
        fn();
      },
    };
    const real = realClock.setTimer(ms, timer.fire);
    const end = (): void => {
      real[Symbol.dispose]();
      this.#timers.delete(timer);
    };
    this.#timers.add(timer);
    return { [Symbol.dispose]: end };
  }

  advance(ms: number): void {
    this.#aheadMs += ms;
    for (const timer of [...this.#timers]) if (timer.dueMs <= this.nowMs()) timer.fire();
  }
}

describe('nodes of the lab', function () {
  this.timeout(30_000);
  let cluster: TestCluster;
  let clock: MovableClock;
  beforeEach(async () => {
    clock = new MovableClock();
    cluster = await TestCluster.start({ clock, caPem: 'the certificate' });
  });
  afterEach(() => cluster[Symbol.asyncDispose]());

  const node = (name: string): Promise<Node> => cluster.get<Node>(`/api/v1/nodes/${name}`);
  const ready = async (name: string): Promise<string | undefined> =>
    (await node(name)).status?.conditions?.find(({ type }) => type === 'Ready')?.status;
  const taints = async (name: string): Promise<string[]> =>
    ((await node(name)).spec?.taints ?? []).map(({ key, effect }) => `${key}:${effect}`);
  const beat = (name: string): Promise<unknown> =>
    cluster.client.request({
      method: 'POST',
      path: leases,
      body: { metadata: { name }, spec: { holderIdentity: name, renewTime: new Date().toISOString() } },
    });
  const running = (name: string): number =>
    cluster
      .pods()
      .filter(({ spec, metadata }) => spec?.nodeName === name && metadata.deletionTimestamp === undefined)
      .length;

  it('that fall silent lose their endpoints, and after their pods’ patience the pods', async () => {
    await beat('one');
    const service = {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'web', namespace: 'default' },
      spec: { selector: { app: 'web' }, ports: [{ port: 80 }] },
    };
    await cluster.api.load([service, workload('Deployment', 'web', { replicas: 4 })]);
    const serving = async (): Promise<(string | undefined)[]> =>
      (await cluster.list<EndpointSlice>(slices))
        .flatMap(({ endpoints }) => endpoints ?? [])
        .filter(({ conditions }) => conditions?.ready)
        .map(({ nodeName }) => nodeName);
    await cluster.until(async () => (await serving()).length === 4);
    // The kubelet of the silent node neither reports nor ends anything.
    cluster.kubelets.fate = (pod) => (pod.spec?.nodeName === 'one' ? 'unready' : 'ready');
    cluster.kubelets.ends = (pod) => pod.spec?.nodeName !== 'one';
    clock.advance(41_000);
    await cluster.until(async () => (await ready('one')) === 'Unknown');
    await cluster.until(async () => {
      const nodes = await serving();
      return nodes.length === 2 && !nodes.includes('one');
    });
    await cluster.until(async () => (await taints('one')).length === 2);
    expect(await taints('one')).to.have.members([
      'node.kubernetes.io/unreachable:NoSchedule',
      'node.kubernetes.io/unreachable:NoExecute',
    ]);
    await cluster.quiet();
    expect(running('one')).to.equal(2);
    clock.advance(301_000);
    await cluster.until(() => Promise.resolve(running('one') === 0 && running('two') === 4));
  });

  it('are free of taints again when they are ready again', async () => {
    await cluster.patch('/api/v1/nodes/one/status', {
      status: { conditions: [{ type: 'Ready', status: 'False' }] },
    });
    await cluster.until(async () => (await taints('one')).includes('node.kubernetes.io/not-ready:NoExecute'));
    await cluster.patch('/api/v1/nodes/one/status', {
      status: { conditions: [{ type: 'Ready', status: 'True' }] },
    });
    await cluster.until(async () => (await taints('one')).length === 0);
  });

  it('without a Lease are what they say they are', async () => {
    clock.advance(3_600_000);
    await cluster.quiet();
    expect(await ready('one')).to.equal('True');
  });

  it('that are deleted take their pods along after a while', async () => {
    await cluster.api.load([workload('DaemonSet', 'agent'), workload('Deployment', 'web', { replicas: 2 })]);
    await cluster.until(() =>
      Promise.resolve(cluster.pods().filter(({ status }) => status?.phase === 'Running').length === 4),
    );
    cluster.kubelets.ends = (pod) => pod.spec?.nodeName !== 'one';
    await cluster.delete('/api/v1/nodes/one');
    await cluster.quiet();
    clock.advance(41_000);
    await cluster.until(() => Promise.resolve(cluster.pods().every(({ spec }) => spec?.nodeName !== 'one')));
    await cluster.until(() => Promise.resolve(running('two') === 3));
  });

  it('take the pods that wait for them', async () => {
    const chosen = {
      ...template('web'),
      spec: { nodeSelector: { gpu: 'yes' }, containers: [{ name: 'a', image: 'x' }] },
    };
    await cluster.api.load([workload('Deployment', 'web', { template: chosen })]);
    const waiting = await cluster.until(() =>
      Promise.resolve(cluster.pods().find(({ status }) => status?.conditions?.[0]?.status === 'False')),
    );
    expect(waiting.status?.conditions?.[0]).to.include({
      reason: 'Unschedulable',
      message: "0/2 nodes are available: 2 node(s) didn't match Pod's node affinity/selector.",
    });
    const gpu = nodeObject('gpu') as { metadata: { labels: Record<string, string> } };
    gpu.metadata.labels['gpu'] = 'yes';
    await cluster.api.load([{ ...gpu }]);
    await cluster.until(() => Promise.resolve(running('gpu') === 1));
    const scheduled = cluster.pods()[0]?.status?.conditions?.find(({ type }) => type === 'PodScheduled');
    expect(scheduled).to.include({ status: 'True' });
  });

  it('and namespaces: each has the certificate to verify the API by', async () => {
    await cluster.api.load([{ apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } }]);
    const path = '/api/v1/namespaces/shop/configmaps/kube-root-ca.crt';
    const find = (): Promise<ConfigMap | undefined> => cluster.get<ConfigMap>(path).catch(() => undefined);
    expect((await cluster.until(find)).data).to.deep.equal({ 'ca.crt': 'the certificate' });
    await cluster.delete(path);
    await cluster.until(find);
  });

  it('and what has an owner goes with it', async () => {
    await cluster.api.load([workload('Deployment', 'web', { replicas: 3 })]);
    await cluster.until(() => Promise.resolve(running('one') + running('two') === 3));
    await cluster.delete('/apis/apps/v1/namespaces/default/deployments/web', {
      propagationPolicy: 'Foreground',
    });
    await cluster.until(() => Promise.resolve(cluster.pods().length === 0));
    await cluster.quiet();
    expect(await cluster.list('/apis/apps/v1/namespaces/default/replicasets')).to.have.length(0);
    expect(await cluster.list('/apis/apps/v1/namespaces/default/deployments')).to.have.length(0);
  });
});
