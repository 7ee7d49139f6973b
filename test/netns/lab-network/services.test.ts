import { expect } from 'chai';
import type { JsonObject } from '@ambient/lab';
import { runInNamespace } from '@ambient/lab/network';
import { NetworkNamespace } from '@ambient/linux';
import { ask, endpointsOf, serviceObjects, TestCluster, until } from './test-cluster.ts';
import type { TestPod } from './test-cluster.ts';

const servicePath = '/api/v1/namespaces/default/services';
const slicePath = '/apis/discovery.k8s.io/v1/namespaces/default/endpointslices';
const virtual4 = '10.96.7.1';
const virtual6 = 'fd96::701';
const virtualIps = { clusterIP: virtual4, clusterIPs: [virtual4, virtual6] };

describe('Services of the lab', () => {
  let cluster: TestCluster;
  let near: TestPod;
  let far: TestPod;
  let client: TestPod;

  before(async () => {
    cluster = await TestCluster.start();
    [near, far, client] = await Promise.all([
      cluster.pod('near', cluster.node(1)),
      cluster.pod('far', cluster.node(2)),
      cluster.pod('client', cluster.node(1)),
    ]);
    await Promise.all([cluster.serve(near, 8080), cluster.serve(far, 8080)]);
  });
  after(() => cluster[Symbol.asyncDispose]());

  let made: string | undefined;
  afterEach(async () => {
    if (made === undefined) return;
    for (const family of [0, 1]) await cluster.delete(`${slicePath}/${made}-${family}`);
    await cluster.delete(`${servicePath}/${made}`);
    made = undefined;
    for (const node of cluster.network.nodes)
      await until(async () => !(await cluster.rules(node)).includes(virtual4));
  });

  async function service(name: string, endpoints: readonly TestPod[], spec: JsonObject = {}): Promise<void> {
    made = name;
    const objects = serviceObjects({
      name,
      targetPort: 8080,
      endpoints,
      spec: { ...virtualIps, ...spec },
    });
    await cluster.create(...objects);
    for (const node of cluster.network.nodes)
      await until(async () => {
        const rules = await cluster.rules(node);
        const wanted = endpoints
          .filter((pod) => spec['internalTrafficPolicy'] !== 'Local' || pod.node === node)
          .flatMap(({ addresses: [v4, v6] }) => [`${v4}:8080`, `[${v6}]:8080`]);
        return rules.includes(virtual4) && wanted.every((target) => rules.includes(target));
      });
  }

  async function answers(from: TestPod, address: string, port = 80, times = 24): Promise<Set<string>> {
    const all = new Set<string>();
    for (let time = 0; time < times; time++) all.add(await ask(from.namespace, address, port));
    return all;
  }

  it('lead to all endpoints, on this node and the other, by both families, and keep the client', async () => {
    await service('both', [near, far]);
    const [client4, client6] = client.addresses;
    expect([...(await answers(client, virtual4))].sort()).to.eql([`far ${client4}`, `near ${client4}`]);
    expect([...(await answers(client, virtual6))].sort()).to.eql([`far ${client6}`, `near ${client6}`]);
    const node = cluster.node(2);
    expect(await ask(node.namespace, virtual4, 80)).to.match(/^(near|far) 172\.30\.0\.12$/);
  });

  it('lead a pod to itself, from an address that it can answer', async () => {
    await service('itself', [near]);
    const answer = await ask(near.namespace, virtual4, 80);
    expect(answer).to.match(/^near /);
    expect(answer).not.to.equal(`near ${near.addresses[0]}`);
    expect(await ask(near.namespace, virtual6, 80)).to.match(/^near fd/);
  });

  it('refuse at once when there are no endpoints, and at ports that they do not have', async () => {
    await service('none', []);
    for (const address of [virtual4, virtual6])
      for (const port of [80, 81])
        expect(await ask(client.namespace, address, port)).to.equal('ECONNREFUSED');
    expect(await ask(cluster.node(1).namespace, virtual4, 80)).to.equal('ECONNREFUSED');
  });

  it('keep a client with its endpoint where they are asked to', async () => {
    await service('sticky', [near, far], { sessionAffinity: 'ClientIP' });
    expect(await answers(client, virtual4)).to.have.property('size', 1);
    expect(await answers(client, virtual6)).to.have.property('size', 1);
  });

  it('stay on the node where they are asked to, and drop where it has no endpoint', async () => {
    await service('local', [near, far], { internalTrafficPolicy: 'Local' });
    expect([...(await answers(client, virtual4))]).to.eql([`near ${client.addresses[0]}`]);
  });

  it('are reached from outside by a port of every node, by both families', async () => {
    await service('node-port', [near], {
      type: 'NodePort',
      ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_080 }],
    });
    for (const node of cluster.network.nodes)
      for (const address of node.addresses) {
        const way = await cluster.network.open({ host: '127.0.0.1', port: 0 }, address, 30_080);
        // What comes by another node goes back by it.
        using own = NetworkNamespace.current();
        expect(await ask(own, '127.0.0.1', way.port)).to.match(/^near (10\.244|172\.30|fd)/);
        expect(await ask(client.namespace, address, 30_080)).to.match(/^near /);
      }
  });

  it('show the client from outside where they stay on the node', async () => {
    await service('outside', [near], {
      type: 'NodePort',
      externalTrafficPolicy: 'Local',
      ports: [{ name: 'http', port: 80, targetPort: 8080, nodePort: 30_081 }],
    });
    const way = await cluster.network.open({ host: '127.0.0.1', port: 0 }, '172.30.0.11', 30_081);
    using own = NetworkNamespace.current();
    expect(await ask(own, '127.0.0.1', way.port)).to.equal('near 172.30.0.1');
    // From inside it leads to the other node as well.
    expect(await ask(far.namespace, '172.30.0.12', 30_081)).to.match(/^near /);
  });

  it('change under load without a connection that fails', async () => {
    await service('busy', [near, far]);
    let going = true;
    const seen = new Map<string, number>();
    const load = Array.from({ length: 8 }, async () => {
      while (going) {
        const answer = await ask(client.namespace, virtual4, 80);
        seen.set(answer, (seen.get(answer) ?? 0) + 1);
      }
    });
    const knows = (pod: TestPod, is: boolean): Promise<void> =>
      until(async () => (await cluster.rules(cluster.node(1))).includes(`${pod.addresses[0]}:8080`) === is);
    for (let round = 0; round < 5; round++) {
      await cluster.patch(`${slicePath}/busy-0`, { endpoints: endpointsOf([near], 0) });
      await knows(far, false);
      await cluster.patch(`${slicePath}/busy-0`, { endpoints: endpointsOf([near, far], 0) });
      await knows(far, true);
    }
    going = false;
    await Promise.all(load);
    expect([...seen.keys()].sort()).to.eql([`far ${client.addresses[0]}`, `near ${client.addresses[0]}`]);
  });

  it('come back with the next change when somebody has removed them', async () => {
    await service('removed', [near]);
    const node = cluster.node(1);
    await runInNamespace(node.namespace, 'remove', ['nft', 'delete', 'table', 'inet', 'lab-services']);
    await cluster.patch(`${slicePath}/removed-0`, { endpoints: endpointsOf([near, far], 0) });
    const rules = (): Promise<string> => cluster.rules(node).catch(() => '');
    await until(async () => (await rules()).includes(`${far.addresses[0]}:8080`));
    expect(await answers(client, virtual4)).to.have.property('size', 2);
    expect(cluster.log.join('\n')).to.include('the table is made anew');
  });

  it('let an endpoint that ends serve as long as there is no other', async () => {
    await service('ending', [near]);
    const [endpoint] = endpointsOf([near], 0);
    const conditions = { ready: false, serving: true, terminating: true };
    await cluster.patch(`${slicePath}/ending-0`, { endpoints: [{ ...endpoint, conditions }] });
    expect(await ask(client.namespace, virtual4, 80)).to.match(/^near /);
    await cluster.patch(`${slicePath}/ending-0`, {
      endpoints: [{ ...endpoint, conditions }, ...endpointsOf([far], 0)],
    });
    await until(async () => !(await cluster.rules(cluster.node(1))).includes(`${near.addresses[0]}:8080`));
    expect([...(await answers(client, virtual4))]).to.eql([`far ${client.addresses[0]}`]);
  });

  it('do not stand in the way of each other: who asks for what another one has does without it', async () => {
    await service('first', [near], { externalIPs: ['192.0.2.7'] });
    const second = serviceObjects({
      name: 'second',
      targetPort: 8080,
      endpoints: [far],
      spec: { ...virtualIps, clusterIP: '10.96.7.2', clusterIPs: ['10.96.7.2', 'fd96::702'] },
    });
    await cluster.create(...second);
    await cluster.patch(`${servicePath}/second`, { spec: { externalIPs: ['192.0.2.7'] } });
    await until(() => Promise.resolve(cluster.log.some((line) => line.includes('does without'))));
    expect(await ask(client.namespace, '192.0.2.7', 80)).to.match(/^near /);
    await until(async () => (await ask(client.namespace, '10.96.7.2', 80)).startsWith('far '));
    await cluster.patch(`${servicePath}/first`, { spec: { externalIPs: null } });
    await until(async () => (await ask(client.namespace, '192.0.2.7', 80)).startsWith('far '));
    for (const family of [0, 1]) await cluster.delete(`${slicePath}/second-${family}`);
    await cluster.delete(`${servicePath}/second`);
  });
});
