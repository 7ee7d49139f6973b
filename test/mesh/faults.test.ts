import { execFile } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { expect } from 'chai';
import { Call, reaches } from '../netns/function/call.ts';
import { HttpLoad } from '../netns/function/http-load.ts';
import type { MeshCluster, MeshPod } from './harness/index.ts';
import {
  authorization,
  authorizationPolicies,
  ECHO_PORT,
  HTTP_PORT,
  identity,
  OUTSIDE,
  REDIRECTION,
  SHOP,
  startStrictMesh,
  waitFor,
} from './harness/index.ts';

const CONFLIST = 'etc/cni/net.d/10-lab.conflist';
const run = promisify(execFile);

/** What may go wrong on a node. Each test leaves the cluster as it found it. */
describe('a cluster of the mesh, all of it under STRICT', () => {
  let mesh: MeshCluster;
  let client: MeshPod;
  let far: MeshPod;
  let outsider: MeshPod;

  before(async function () {
    this.timeout(120_000);
    ({ mesh, client, far, outsider } = await startStrictMesh({
      cni: { RULE_CHECK_INTERVAL: '500ms' },
    }));
  });
  after(async function () {
    this.timeout(30_000);
    await mesh?.[Symbol.asyncDispose]();
  });

  it('rules of a pod that are flushed by hand come back, and it is told', async () => {
    for (const tool of ['iptables', 'ip6tables'])
      for (const table of ['nat', 'mangle', 'raw'])
        await run('nsenter', [`--net=${far.path}`, tool, '-t', table, '-F']).catch(() => undefined);
    await run('nsenter', [`--net=${far.path}`, 'nft', 'flush', 'ruleset']);
    await waitFor(async () => !(await reaches(outsider, far.ipv4, ECHO_PORT)), 'the rules to be back');
    await waitFor(() => reaches(client, far.ipv6, ECHO_PORT), 'the mesh to carry again');
    await waitFor(
      async () => (await mesh.events('far')).some((text) => text.startsWith('AmbientRulesRepaired')),
      'an Event about the repair',
    );
  });

  it('a pod whose rules cannot be repaired stays closed, and is told of; it is whole when the cause is gone', async () => {
    await run('nsenter', [`--net=${far.path}`, 'ip', 'link', 'set', 'lo', 'down']);
    try {
      await waitFor(
        async () => (await mesh.agentLog('node-2')).some((line) => line.includes('rules cannot be kept')),
        'the agent to try in vain',
      );
      for (let tries = 0; tries < 10; tries += 1)
        expect(await reaches(outsider, far.ipv4, ECHO_PORT), 'from outside of the mesh').to.equal(false);
    } finally {
      await run('nsenter', [`--net=${far.path}`, 'ip', 'link', 'set', 'lo', 'up']);
    }
    await waitFor(() => reaches(client, far.ipv4, ECHO_PORT), 'the mesh to carry again');
    expect(await reaches(outsider, far.ipv4, ECHO_PORT), 'from outside of the mesh').to.equal(false);
  });

  it('a conflist that the network provider writes anew has our plugin again, and pods that start are captured', async () => {
    const file = mesh.host('node-2', CONFLIST);
    const list = JSON.parse(readFileSync(file, 'utf8')) as { plugins: { type: string }[] };
    expect(list.plugins.map(({ type }) => type)).to.deep.equal(['lab-bridge', 'istio-cni']);
    writeFileSync(file, JSON.stringify({ ...list, plugins: list.plugins.slice(0, 1) }));
    await waitFor(() => readFileSync(file, 'utf8').includes('istio-cni'), 'the plugin in the conflist');
    // Also one that starts in the moment in which it is not there.
    writeFileSync(file, JSON.stringify({ ...list, plugins: list.plugins.slice(0, 1) }));
    const pod = await mesh.run('rewritten', { node: 'node-2' });
    await mesh.captured('rewritten');
    await waitFor(() => reaches(pod, far.ipv4, ECHO_PORT), 'the new pod to be in the mesh');
    await mesh.delete('rewritten');
  });

  it('an address that goes to another pod goes without the identity, the tunnels and the permits of the pod before', async () => {
    await mesh.apply(authorization('trusted', 'far', 'ALLOW', ['client', 'trusted']));
    const trusted = await mesh.run('trusted', { node: 'node-1' });
    await waitFor(() => reaches(trusted, far.ipv4, ECHO_PORT), 'the trusted pod to be let in');
    const held = new Call(trusted, far.ipv4, ECHO_PORT);
    expect(await held.echo('trusted')).to.equal(true);
    held[Symbol.dispose]();
    // Someone who calls it holds tunnels to its address, too.
    expect(await reaches(far, trusted.ipv4, ECHO_PORT)).to.equal(true);
    await mesh.delete('trusted');
    giveNext('node-1', trusted);
    const heir = await mesh.run('heir', { node: 'node-1' });
    expect([heir.ipv4, heir.ipv6]).to.deep.equal([trusted.ipv4, trusted.ipv6]);
    for (let tries = 0; tries < 5; tries += 1)
      expect(await reaches(heir, far.ipv4, ECHO_PORT), 'with the permit of the pod before').to.equal(false);
    await waitFor(() => reaches(far, heir.ipv4, ECHO_PORT), 'the new pod to be reached by its own identity');
    await mesh.access('node-2', {
      'src.identity': identity('far'),
      'dst.identity': identity('heir'),
      direction: 'outbound',
    });
    await mesh.remove(`${authorizationPolicies}/trusted`);
    await waitFor(() => reaches(heir, far.ipv4, ECHO_PORT), 'everybody to be let in again');
    await mesh.delete('heir');
  });

  it('while the agent hangs pods of the mesh do not start uncaptured, others do; when it is killed and back, all is made up for', async function () {
    this.timeout(120_000);
    const leaving = await mesh.run('leaving', { node: 'node-1' });
    const [agent] = await mesh.meshPods('istio-cni-node', 'node-1');
    const load = new HttpLoad([client], far.ipv4, HTTP_PORT);
    try {
      mesh.signal(agent!, 'SIGSTOP');
      await load.round();
      await mesh.create('waiting', { node: 'node-1' });
      const free = await mesh.run('free', { node: 'node-1', namespace: OUTSIDE });
      expect(await reaches(free, outsider.ipv4, ECHO_PORT), 'a pod that is none of ours').to.equal(true);
      await mesh.enrol(OUTSIDE);
      await mesh.delete('leaving');
      await waitFor(
        async () =>
          (await mesh.events('waiting')).some((text) => /^FailedCreatePodSandBox: .*agent/s.test(text)),
        async () =>
          `an Event that tells why the pod does not start: ${(await mesh.events('waiting')).join()}`,
      );
      expect((await mesh.pod('waiting'))!.status.phase).to.equal('Pending');
      await load.round();
      mesh.signal(agent!, 'SIGKILL');
      const waiting = await mesh.running('waiting');
      await mesh.captured('waiting');
      expect(await reaches(waiting, far.ipv4, ECHO_PORT), 'the pod that had to wait').to.equal(true);
      await mesh.captured('free', 'enabled', OUTSIDE);
      await waitFor(
        async () => !(await mesh.carriedPods('node-1')).includes(leaving.uid),
        'the pod that ended meanwhile to be forgotten',
      );
      await load.round();
    } finally {
      mesh.signal(agent!, 'SIGCONT');
      await load.stop();
      await mesh.enrol(OUTSIDE, null);
    }
    expect(load.failures).to.deep.equal([]);
    await mesh.captured('outsider', undefined, OUTSIDE);
    await Promise.all([mesh.delete('waiting'), mesh.delete('free', OUTSIDE)]);
  });

  /** Makes the addresses of a pod that is gone the next ones of its node. */
  function giveNext(node: string, { ipv4, ipv6 }: MeshPod): void {
    const before4 = ipv4.replace(/\d+$/, (last) => String(Number(last) - 1));
    const before6 = ipv6.replace(/[0-9a-f]+$/, (last) => (Number.parseInt(last, 16) - 1).toString(16));
    writeFileSync(mesh.host(node, 'var/lib/cni/last-v4'), before4);
    writeFileSync(mesh.host(node, 'var/lib/cni/last-v6'), before6);
  }

  it('ztunnel that is killed comes back to all pods of its node', async () => {
    const [pod] = await mesh.meshPods('ztunnel', 'node-2');
    mesh.signal(pod!, 'SIGKILL');
    await waitFor(
      async () =>
        (await mesh.meshPods('ztunnel', 'node-2')).some(({ status }) =>
          status.containerStatuses?.some(({ ready, restartCount }) => ready && restartCount > 0),
        ),
      'ztunnel to be ready again',
    );
    await waitFor(() => reaches(client, far.ipv4, ECHO_PORT), 'the mesh to carry again');
    expect(await reaches(outsider, far.ipv4, ECHO_PORT), 'from outside of the mesh').to.equal(false);
  });

  it('a node whose agent, ztunnel and pods are all killed at once comes back, with every pod in the mesh', async function () {
    this.timeout(120_000);
    const names = ['far', 'far-2', 'far-3'];
    for (const name of names.slice(1)) await mesh.run(name, { node: 'node-2' });
    const pods = await mesh.list('/api/v1/pods', { fieldSelector: 'spec.nodeName=node-2' });
    mesh.killNode('node-2', pods);
    for (const name of names) {
      const pod = await mesh.untilPod(
        name,
        ({ status }) =>
          status.containerStatuses?.some(({ ready, restartCount }) => ready && restartCount > 0) ?? false,
        'run again',
        SHOP,
        60_000,
      );
      expect(pod.metadata.annotations?.[REDIRECTION]).to.equal('enabled');
      const again = await mesh.running(name);
      await waitFor(() => reaches(client, again.ipv4, ECHO_PORT), `the mesh to carry to ${name}`);
      expect(await reaches(outsider, again.ipv4, ECHO_PORT), 'from outside of the mesh').to.equal(false);
      if (name === 'far') far = again;
    }
    await Promise.all(names.slice(1).map((name) => mesh.delete(name)));
  });
});
