import { expect } from 'chai';
import { Call, fetchFrom, reaches } from '../netns/function/call.ts';
import type { MeshPod } from './harness/index.ts';
import {
  authorization,
  authorizationPolicies,
  ECHO_PORT,
  HTTP_PORT,
  identity,
  MeshCluster,
  service,
  SHOP,
  waitFor,
} from './harness/index.ts';

const MEGABYTE = 'x'.repeat(1024 * 1024);
const METRICS_PORT = 15_020;

describe('a cluster of nodes with frames of 9000 bytes, all in the mesh', () => {
  let mesh: MeshCluster;
  let client: MeshPod;
  let near: MeshPod;
  let far: MeshPod;
  let other: MeshPod;

  before(async function () {
    this.timeout(120_000);
    mesh = await MeshCluster.start({ mtu: 9000 });
    await mesh.enrol(SHOP);
    [client, near, far, other] = await Promise.all([
      mesh.run('client', { node: 'node-1' }),
      mesh.run('near', { node: 'node-1', labels: { app: 'web' } }),
      mesh.run('far', { node: 'node-2', labels: { app: 'web' } }),
      mesh.run('other', { node: 'node-1' }),
    ]);
    await mesh.apply(
      service('web', [HTTP_PORT, ECHO_PORT]),
      service('web', [ECHO_PORT], { name: 'web-headless', clusterIP: 'None' }),
    );
    for (const { ipv4, name } of [near, far])
      await waitFor(() => reaches(client, ipv4, ECHO_PORT), `the mesh to carry to ${name}`);
  });
  after(async function () {
    this.timeout(30_000);
    await mesh?.[Symbol.asyncDispose]();
  });

  it('a megabyte each way, IPv4 and IPv6, on a node and between nodes', async () => {
    for (const pod of [near, far])
      for (const ip of [pod.ipv4, pod.ipv6]) {
        using call = new Call(client, ip, ECHO_PORT);
        expect(await call.echo(MEGABYTE), ip).to.equal(true);
        expect(await call.finish(), ip).to.equal('eof');
        await mesh.access(client.node, {
          'src.addr': new RegExp(`^${escaped(ip.includes(':') ? client.ipv6 : client.ipv4)}:`),
          'src.identity': identity('client'),
          'dst.identity': identity(pod.account),
          bytes_sent: MEGABYTE.length,
          bytes_recv: MEGABYTE.length,
        });
      }
  });

  it('a Service by its addresses of both families: every pod behind it, through the mesh', async () => {
    const { spec } = await mesh.get<{ spec: { clusterIPs: string[] } }>(
      `/api/v1/namespaces/${SHOP}/services/web`,
    );
    expect(spec.clusterIPs).to.have.length(2);
    for (const ip of spec.clusterIPs) {
      const pods = new Set<string>();
      await waitFor(
        async () => {
          const answer = await fetchFrom(client, ip, HTTP_PORT);
          pods.add((answer.json() as { pod: string }).pod);
          return pods.size === 2;
        },
        () => `answers of both pods, not of ${[...pods].join()} alone`,
      );
    }
    await mesh.access('node-1', {
      'dst.service': `web.${SHOP}.svc.cluster.local`,
      'src.identity': identity('client'),
    });
  });

  it('names of Services, headless ones too, by the DNS that ztunnel answers', async () => {
    const before = await dnsRequests();
    const script = `
      const { lookup, resolve4 } = require('node:dns').promises;
      const all = (name) => lookup(name, { all: true }).then((found) => found.map(({ address }) => address).sort());
      Promise.all([all('web'), all('web-headless.${SHOP}'), all('web.${SHOP}.svc.cluster.local'),
        resolve4('nobody.${SHOP}.svc.cluster.local').catch(({ code }) => code)])
        .then((found) => console.log(JSON.stringify(found)));`;
    const { text } = await mesh.exec(client, [process.execPath, '-e', script]);
    const [service, headless, full, nobody] = JSON.parse(text) as [string[], string[], string[], string];
    const { spec } = await mesh.get<{ spec: { clusterIPs: string[] } }>(
      `/api/v1/namespaces/${SHOP}/services/web`,
    );
    expect(service).to.deep.equal(spec.clusterIPs.toSorted());
    expect(full).to.deep.equal(service);
    expect(headless).to.deep.equal([near.ipv4, near.ipv6, far.ipv4, far.ipv6].toSorted());
    expect(nobody).to.equal('ENOTFOUND');
    expect(await dnsRequests()).to.be.greaterThan(before + 3);
  });

  it('ALLOW and DENY by identity, on a node and between nodes, also of connections that are open', async () => {
    using open = new Call(client, far.ipv4, ECHO_PORT);
    expect(await open.echo('before')).to.equal(true);
    const verdicts = async (): Promise<string> =>
      (
        await Promise.all(
          [client, other].flatMap((from) => [near, far].map((to) => reaches(from, to.ipv4, ECHO_PORT))),
        )
      )
        .map((reached) => (reached ? 'y' : 'n'))
        .join('');
    const becomes = (wanted: string): Promise<unknown> =>
      waitFor(
        async () => (await verdicts()) === wanted,
        async () => `${wanted}, not ${await verdicts()}`,
      );
    await mesh.apply(authorization('allow', 'web', 'ALLOW', ['client']));
    await becomes('yynn');
    expect(await open.echo('allowed')).to.equal(true);
    await mesh.apply(authorization('deny', 'web', 'DENY', ['client']));
    await becomes('nnnn');
    expect(await open.endsWithin(5000)).not.to.equal(undefined);
    await mesh.access('node-2', { 'src.identity': identity('client'), error: /polic/ });
    await mesh.remove(`${authorizationPolicies}/allow`);
    await becomes('nnyy');
    await mesh.remove(`${authorizationPolicies}/deny`);
    await becomes('yyyy');
  });

  it('a NetworkPolicy that would close the port of the mesh is told of, with the rule that it needs', async () => {
    await mesh.apply({
      apiVersion: 'networking.k8s.io/v1',
      kind: 'NetworkPolicy',
      metadata: { name: 'narrow', namespace: SHOP },
      spec: {
        podSelector: { matchLabels: { app: 'web' } },
        policyTypes: ['Ingress'],
        ingress: [{ ports: [{ port: HTTP_PORT, protocol: 'TCP' }] }],
      },
    });
    // It is looked at when something is done about a pod that it is for.
    await mesh.run('late', { node: 'node-1', labels: { app: 'web' } });
    const event = await waitFor(
      async () => (await mesh.events('narrow')).find((text) => text.startsWith('AmbientNetworkPolicyBlocks')),
      'an Event about the NetworkPolicy',
    );
    expect(event).to.contain('15008');
    await mesh.remove(`/apis/networking.k8s.io/v1/namespaces/${SHOP}/networkpolicies/narrow`);
    await mesh.delete('late');
  });

  /** Questions that the client's ztunnel has been asked. */
  async function dnsRequests(): Promise<number> {
    const text = await mesh.ztunnelGet('node-1', METRICS_PORT, '/metrics');
    return [...text.matchAll(/^istio_dns_requests_total\{[^}]*\} (\d+)/gm)].reduce(
      (sum, [, count]) => sum + Number(count),
      0,
    );
  }
});

function escaped(ip: string): string {
  return ip.includes(':') ? `\\[${ip}\\]` : ip.replaceAll('.', '\\.');
}
