import { expect } from 'chai';
import { Call, reaches } from '../netns/function/call.ts';
import { HttpLoad } from '../netns/function/http-load.ts';
import type { MeshPod } from './harness/index.ts';
import { ECHO_PORT, HTTP_PORT, MeshCluster, SHOP, strict, waitFor } from './harness/index.ts';

const UPGRADES = 5;

/** Roll-outs as a cluster does them: the DaemonSet's controller replaces pods, the kubelet ends the old ones. */
describe('a cluster of the mesh under load', () => {
  let mesh: MeshCluster;
  let client: MeshPod;
  let near: MeshPod;
  let far: MeshPod;

  before(async function () {
    this.timeout(120_000);
    mesh = await MeshCluster.start();
    await mesh.apply(strict());
    await mesh.enrol(SHOP);
    [client, near, far] = await Promise.all([
      mesh.run('client', { node: 'node-1' }),
      mesh.run('near', { node: 'node-1' }),
      mesh.run('far', { node: 'node-2' }),
    ]);
    for (const [from, to] of [
      [client, near],
      [client, far],
      [far, client],
    ] as const)
      await waitFor(() => reaches(from, to.ipv4, ECHO_PORT), `the mesh to carry to ${to.name}`);
  });
  after(async function () {
    this.timeout(30_000);
    await mesh?.[Symbol.asyncDispose]();
  });

  it(`ztunnel is replaced on all nodes ${UPGRADES} times: no request fails, no connection is reset`, async function () {
    this.timeout(240_000);
    await underLoad(async () => {
      for (let version = 1; version <= UPGRADES; version += 1) {
        using toNear = new Call(client, near.ipv4, ECHO_PORT);
        using toFar = new Call(client, far.ipv6, ECHO_PORT);
        using back = new Call(far, client.ipv4, ECHO_PORT);
        const calls = { toNear, toFar, back };
        for (const [name, call] of Object.entries(calls))
          expect(await call.echo('before'), `${name}, before ${version}`).to.equal(true);
        const old = (await mesh.meshPods('ztunnel')).map(({ metadata }) => metadata.uid);
        await mesh.restart('ztunnel', version);
        // The old ones are told to end, and wait for the connections that they carry.
        await waitFor(async () => {
          const pods = await mesh.meshPods('ztunnel');
          return pods.every(
            ({ metadata }) => !old.includes(metadata.uid) || metadata.deletionTimestamp !== undefined,
          );
        }, 'the old ztunnels to be told to end');
        for (const [name, call] of Object.entries(calls)) {
          expect(await call.echo('meanwhile'), `${name}, during ${version}`).to.equal(true);
          expect(await call.finish(), `${name}, during ${version}`).to.equal('eof');
        }
        await waitFor(async () => {
          const pods = await mesh.meshPods('ztunnel');
          return pods.every(({ metadata }) => !old.includes(metadata.uid));
        }, 'the old ztunnels to end');
      }
    });
  });

  it('the agent is replaced on all nodes while pods come and go: every one that starts is captured', async function () {
    this.timeout(120_000);
    await underLoad(async () => {
      const restarted = mesh.restart('istio-cni-node', 1);
      for (let round = 1; round <= 3; round += 1) {
        const names = ['node-1', 'node-2'].map((node) => `during-${round}-${node}`);
        await Promise.all(names.map((name) => mesh.create(name, { node: name.slice(-6) })));
        for (const name of names) {
          const pod = await mesh.running(name);
          await mesh.captured(name);
          expect(await reaches(pod, far.ipv4, ECHO_PORT), name).to.equal(true);
        }
        await Promise.all(names.map((name) => mesh.delete(name)));
      }
      await restarted;
    });
    // Nothing was taken from the node, nor left of the agents before.
    for (const pod of await mesh.meshPods('istio-cni-node'))
      expect(pod.metadata.deletionTimestamp).to.equal(undefined);
  });

  /** Does something while requests go all ways, none of which may fail. */
  async function underLoad(work: () => Promise<void>): Promise<void> {
    const loads = [
      new HttpLoad([client], far.ipv4, HTTP_PORT),
      new HttpLoad([client], near.ipv6, HTTP_PORT),
      new HttpLoad([far], client.ipv4, HTTP_PORT),
    ];
    const rounds = (): Promise<unknown> => Promise.all(loads.map((load) => load.round()));
    try {
      await rounds();
      await work();
      await rounds();
    } finally {
      await Promise.all(loads.map((load) => load.stop()));
    }
    for (const load of loads) {
      expect(load.failures).to.deep.equal([]);
      expect(load.answers).to.be.greaterThan(100);
    }
  }
});
