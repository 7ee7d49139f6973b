// More change than anybody can look at: the state that proxies get is right in the end, and they get it in few portions.
import { expect } from 'chai';
import { waitFor } from '@ambient/testkit/lab';

import { Cluster, pod, service, uidOf } from './cluster.ts';
import { ControlPlaneProcess } from './control-plane-process.ts';
import { DiscoveryClient } from './discovery-client.ts';

const many = 1000;

describe('a storm of events', () => {
  let cluster: Cluster;
  let controlPlane: ControlPlaneProcess;
  let client: DiscoveryClient;

  before(async () => {
    cluster = await Cluster.start();
    await cluster.lab.load([service('web')]);
    controlPlane = ControlPlaneProcess.spawn(cluster.file('lab', cluster.lab.kubeconfig));
    const { plaintextXds } = await controlPlane.serving();
    await controlPlane.ready();
    client = new DiscoveryClient({ address: `127.0.0.1:${plaintextXds}` });
    await client.sync();
  });
  after(async () => {
    client[Symbol.dispose]();
    await controlPlane[Symbol.asyncDispose]();
    await cluster[Symbol.asyncDispose]();
  });
  beforeEach(() => (client.responses.length = 0));
  afterEach(() => {
    expect(client.open).equal(true);
    expect(controlPlane.lines({ level: 'error' })).deep.equal([]);
    expect(controlPlane.lines({ message: /^cannot follow/ })).deep.equal([]);
  });

  it('of 1,000 new pods within a second: all arrive, gathered', async () => {
    const pods = Array.from({ length: many }, (_, index) => pod(`p-${index}`, index));
    const startedMs = performance.now();
    await cluster.lab.load(pods);
    const writtenMs = performance.now() - startedMs;
    await waitFor(() => pods.every((_, index) => client.holds(uidOf(`p-${index}`))), 'all pods');
    const tookMs = performance.now() - startedMs;
    expect(tookMs, `all arrived; ${writtenMs} ms of it to write them`).lessThan(writtenMs + 2000);
    expect(client.responses.length).lessThan(Math.max(50, tookMs / 15));
  });

  it('of one pod that changes its mind 500 times: its last word is what counts', async () => {
    const path = '/api/v1/namespaces/shop/pods/p-0/status';
    const ready = (value: string): unknown => ({
      status: { conditions: [{ type: 'Ready', status: value }] },
    });
    for (let round = 0; round < 500; round++)
      await cluster.client.request({
        method: 'PATCH',
        path,
        contentType: 'application/strategic-merge-patch+json',
        body: ready(round % 2 === 0 ? 'False' : 'True'),
      });
    await cluster.lab.load([pod('last', 5000)]);
    await client.until(uidOf('last'));
    using fresh = new DiscoveryClient({
      address: `127.0.0.1:${(await controlPlane.serving()).plaintextXds}`,
    });
    await fresh.sync();
    const held = (of: DiscoveryClient): Map<string, string>[] => [...of.held.values()];
    expect(held(client)).deep.equal(held(fresh));
    expect(client.responses.length).lessThan(250);
  });

  it('of 1,000 deletions within a second: all are gone, and nothing else', async () => {
    const kept = client.names().filter((name) => !/\/p-\d+$/.test(name));
    await cluster.client.request({
      method: 'DELETE',
      path: '/api/v1/namespaces/shop/pods',
      query: { labelSelector: 'app=web', fieldSelector: 'metadata.name!=last' },
    });
    await waitFor(() => client.names().length === kept.length, 'the end of the pods');
    expect(client.names()).deep.equal(kept);
    expect(client.responses.length).lessThan(60);
  });
});
