import { expect } from 'chai';
import { readdirSync, readFileSync } from 'node:fs';
import { Call, fetchFrom, reaches } from '../function/call.ts';
import { HttpLoad } from '../function/http-load.ts';
import { logEntries, matches } from '../harness/index.ts';
import type { LogEntry, LogMatch } from '../harness/index.ts';
import { SharedMesh } from './shared-mesh.ts';

const ECHO_PORT = 7000;
const HTTP_PORT = 8080;

/** Numbers of CPUs, of a list such as 0-2,5. */
function cpusOf(list: string): number[] {
  return list.split(',').flatMap((range) => {
    const [first, last = first] = range.split('-').map(Number) as [number, number?];
    return Array.from({ length: last - first + 1 }, (_, i) => first + i);
  });
}

describe('ztunnel in shared mode', () => {
  let mesh: SharedMesh;

  before(async function () {
    this.timeout(60_000);
    mesh = await SharedMesh.start({ east: ['client', 'near', 'other'], west: ['far'] });
    for (const name of ['client', 'near', 'far', 'other'])
      await mesh.serve(name, 'echo', { port: ECHO_PORT });
    for (const name of ['near', 'far']) await mesh.serve(name, 'http-constant', { port: HTTP_PORT });
  });
  after(() => mesh.destroy());

  const access = (node: string, match: LogMatch): Promise<LogEntry> =>
    mesh
      .ztunnel(node)
      .waitFor(
        () => logEntries(mesh.ztunnel(node)).find((each) => matches(each, { scope: 'access', ...match })),
        `access log line with ${JSON.stringify(match)}`,
        5000,
      );

  for (const family of ['ipv4', 'ipv6'] as const)
    for (const [where, name, node] of [
      ['on another node', 'far', 'west'],
      ['on the same node', 'near', 'east'],
    ] as const)
      it(`a pod ${where} is reached by ${family} over HBONE, and sees who calls`, async () => {
        const [client, server] = [mesh.pod('client'), mesh.pod(name)];
        expect(await reaches(client.netns, server.netns[family], ECHO_PORT)).to.equal(true);
        const address = client.netns[family];
        const line = await access(node, {
          direction: 'inbound',
          'dst.workload': name,
          'src.workload': 'client',
          'src.identity': 'spiffe://cluster.local/ns/default/sa/client',
          'src.addr': new RegExp(`^\\[?${address}\\]?:`),
        });
        expect(line['message']).to.equal('connection complete');
        await access('east', { direction: 'outbound', 'dst.workload': name, 'src.workload': 'client' });
      });

  for (const family of ['ipv4', 'ipv6'] as const)
    it(`an application sees the ${family} address of the pod that calls`, async () => {
      for (const name of ['near', 'far']) {
        const client = mesh.pod('client').netns;
        const answer = await fetchFrom(client, mesh.pod(name).netns[family], HTTP_PORT);
        expect(answer.status).to.equal(200);
        expect(String(answer.headers['x-peer']).replace('::ffff:', '')).to.equal(client[family]);
      }
    });

  for (const family of ['ipv4', 'ipv6'] as const)
    it(`connections of one ${family} address to two ports share a port of their own`, async () => {
      const [client, far] = [mesh.pod('client').netns, mesh.pod('far').netns];
      await far.sysctl({ 'net.ipv4.ip_local_port_range': '40000 40000' });
      try {
        using open = new Call(client, far[family], ECHO_PORT);
        expect(await open.echo('takes the only port')).to.equal(true);
        const answer = await fetchFrom(client, far[family], HTTP_PORT);
        expect(String(answer.headers['x-peer']).replace('::ffff:', '')).to.equal(client[family]);
      } finally {
        await far.sysctl({ 'net.ipv4.ip_local_port_range': '32768 60999' });
      }
    });

  it('workers keep to CPUs of their own, where there are as many', () => {
    const tasks = `/proc/${mesh.ztunnel('east').pid}/task`;
    const allowed = readdirSync(tasks).flatMap((task) => {
      if (!readFileSync(`${tasks}/${task}/comm`, 'utf8').startsWith('data-')) return [];
      const status = readFileSync(`${tasks}/${task}/status`, 'utf8');
      return [cpusOf(/^Cpus_allowed_list:\s*(\S+)/m.exec(status)![1]!)];
    });
    const all = cpusOf(/^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync('/proc/self/status', 'utf8'))![1]!);
    expect(allowed).length(2);
    if (all.length < 2) expect(allowed).deep.equal([all, all]);
    else expect(allowed.flat()).to.have.members(all);
  });

  it('a policy admits one pod of a node and not its neighbour, also on open connections', async () => {
    const [client, other, far] = [mesh.pod('client'), mesh.pod('other'), mesh.pod('far')];
    using open = new Call(other.netns, far.netns.ipv4, ECHO_PORT);
    expect(await open.echo('before')).to.equal(true);
    mesh.setPolicies([
      {
        name: 'only-client',
        namespace: 'default',
        scope: 'Namespace',
        action: 'Allow',
        rules: [[[{ principals: [{ exact: 'cluster.local/ns/default/sa/client' }] }]]],
      },
    ]);
    try {
      await open.endsWithin(5000);
      expect(await reaches(client.netns, far.netns.ipv4, ECHO_PORT)).to.equal(true);
      expect(await reaches(other.netns, far.netns.ipv4, ECHO_PORT)).to.equal(false);
      await access('west', { reason: 'policy-changed', 'src.workload': 'other' });
    } finally {
      mesh.setPolicies([]);
    }
    for (let tries = 0; tries < 100; tries++)
      if (await reaches(other.netns, far.netns.ipv4, ECHO_PORT)) return;
    expect.fail('the neighbour is not admitted again');
  });

  it('a pod is released and enrolled under the load of its neighbours, which lose nothing', async () => {
    const [client, near, far, other] = ['client', 'near', 'far', 'other'].map((name) => mesh.pod(name)) as [
      ReturnType<SharedMesh['pod']>,
      ReturnType<SharedMesh['pod']>,
      ReturnType<SharedMesh['pod']>,
      ReturnType<SharedMesh['pod']>,
    ];
    const loads = [near, far].map(({ netns }) => new HttpLoad([client.netns], netns.ipv4, HTTP_PORT));
    for (let i = 0; i < 3; i++) {
      await mesh.release('other');
      expect(await reaches(other.netns, client.netns.ipv4, ECHO_PORT), 'in plaintext').to.equal(true);
      await mesh.enrol('other');
      expect(await reaches(other.netns, far.netns.ipv4, ECHO_PORT), 'over HBONE').to.equal(true);
    }
    for (const load of loads) {
      await load.round();
      await load.stop();
      expect(load.failures).to.deep.equal([]);
    }
    await access('west', { direction: 'inbound', 'src.workload': 'other', 'dst.workload': 'far' });
  });

  it('an address that another pod gets is not reached by the tunnels of the one before', async () => {
    const [client, far] = [mesh.pod('client'), mesh.pod('far')];
    expect(await reaches(client.netns, far.netns.ipv4, ECHO_PORT)).to.equal(true);
    await mesh.release('far');
    mesh.rename('far', 'heir');
    await mesh.enrol('heir');
    for (let tries = 0; tries < 100; tries++)
      if (await reaches(client.netns, far.netns.ipv4, ECHO_PORT)) break;
    await access('west', {
      direction: 'inbound',
      'dst.workload': 'heir',
      'dst.identity': 'spiffe://cluster.local/ns/default/sa/heir',
    });
  });

  it('a pod that the control plane does not know sends by the word of the node agent, and receives nothing', async () => {
    const [client, other, near] = [mesh.pod('client'), mesh.pod('other'), mesh.pod('near')];
    mesh.forget('other');
    const told = (): boolean =>
      logEntries(mesh.ztunnel('east')).some(({ message }) => /has not told this pod/.test(String(message)));
    for (let tries = 0; tries < 100 && !told(); tries++)
      expect(await reaches(other.netns, near.netns.ipv4, ECHO_PORT)).to.equal(true);
    expect(told()).to.equal(true);
    expect(await reaches(other.netns, near.netns.ipv4, ECHO_PORT)).to.equal(true);
    await access('east', {
      direction: 'inbound',
      'dst.workload': 'near',
      'src.workload': undefined,
      'src.identity': 'spiffe://cluster.local/ns/default/sa/other',
    });
    using refused = new Call(client.netns, other.netns.ipv4, ECHO_PORT);
    await refused.endsWithin(8000); // after the 5 s that it waits to be told
    await access('east', { direction: 'inbound', reason: 'own-workload-unknown' });
  });

  it('tells its pods and their connections', async () => {
    using open = new Call(mesh.pod('client').netns, mesh.pod('near').netns.ipv4, ECHO_PORT);
    expect(await open.echo('hello')).to.equal(true);
    const dump = (await mesh.admin('east', '/config_dump')).json() as {
      workloadState: Record<string, { state: string; connections: Record<string, object[]> }>;
    };
    expect(Object.keys(dump.workloadState)).to.have.members(['uid-client', 'uid-near', 'uid-other']);
    expect(dump.workloadState['uid-client']).to.include({ state: 'Up' });
    const near = mesh.pod('near').netns.ipv4;
    const { outbound } = dump.workloadState['uid-client']!.connections;
    expect(outbound).to.have.length(1);
    expect(outbound![0]).to.include({
      originalDst: `${near}:${ECHO_PORT}`,
      actualDst: `${near}:15008`,
      protocol: 'HBONE',
    });
    const { inbound } = dump.workloadState['uid-near']!.connections;
    expect(inbound).to.have.length(1);
    expect(inbound![0]).to.include({ actualDst: `${near}:${ECHO_PORT}`, protocol: 'HBONE' });
  });
});
