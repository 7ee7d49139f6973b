import { expect } from 'chai';
import { fetchFrom, reaches } from './call.ts';
import { useMesh } from './use-mesh.ts';

const HOSTNAME = 'web.default.svc.cluster.local';
const IDLE_HOSTNAME = 'idle.default.svc.cluster.local';
const VIP = { v4: '10.77.0.201', v6: 'fd77::201' };
const IDLE_VIP = '10.77.0.202';
/** Calls after which a server that is drawn for one in two has been met, but for one time in 10^12. */
const MANY_CALLS = 40;

describe('ways through the mesh', () => {
  const web = { services: { [`default/${HOSTNAME}`]: { 80: 8080 } } };
  const mesh = useMesh(
    {
      pods: {
        client: {},
        first: { workload: web },
        second: { workload: web },
        sick: { workload: { ...web, status: 'Unhealthy' } },
      },
      services: () => [
        {
          name: 'web',
          namespace: 'default',
          hostname: HOSTNAME,
          vips: [`/${VIP.v4}`, `/${VIP.v6}`],
          ports: { 80: 8080 },
        },
        {
          name: 'idle',
          namespace: 'default',
          hostname: IDLE_HOSTNAME,
          vips: [`/${IDLE_VIP}`],
          ports: { 80: 8080 },
        },
      ],
    },
    ({ pods }) =>
      Promise.all(
        ['first', 'second', 'sick'].map((name) =>
          pods[name]!.serve('http-constant', { port: 8080, body: name }),
        ),
      ),
  );

  for (const family of ['ipv4', 'ipv6'] as const)
    it(`a pod is reached by its ${family} address over HBONE, each side proven to the other`, async () => {
      const [client, server] = [mesh().pod('client'), mesh().pod('first')];
      const answer = await fetchFrom(client.netns, server[family], 8080);
      expect(answer).to.include({ status: 200, body: 'first' });
      const address = family === 'ipv6' ? `[${server.ipv6}]` : server.ipv4;
      const identities = {
        'src.identity': `spiffe://${client.principal}`,
        'dst.identity': `spiffe://${server.principal}`,
        'dst.addr': `${address}:15008`,
        'dst.hbone_addr': `${address}:8080`,
        error: undefined,
      };
      await client.waitForAccess({ ...identities, direction: 'outbound' });
      await server.waitForAccess({ ...identities, direction: 'inbound' });
    });

  for (const family of ['v4', 'v6'] as const)
    it(`a service of both families is reached by its ${family} address, at its port`, async () => {
      const client = mesh().pod('client');
      const answer = await fetchFrom(client.netns, VIP[family], 80);
      expect(answer.status).to.equal(200);
      const local = String(answer.headers['x-local']);
      expect(local.replace('::ffff:', '').includes(':'), local).to.equal(family === 'v6');
      await client.waitForAccess({
        'dst.service': HOSTNAME,
        'dst.workload': answer.body,
        'dst.hbone_addr': family === 'v6' ? /^\[fd77::.*]:8080$/ : /^10\.77\.0\.\d+:8080$/,
      });
    });

  it('every healthy endpoint of a service is used, an unhealthy one is not', async () => {
    const { netns } = mesh().pod('client');
    const met = new Set<string>();
    for (let call = 0; call < MANY_CALLS; call += 1) met.add((await fetchFrom(netns, VIP.v4, 80)).body);
    expect([...met].toSorted()).to.deep.equal(['first', 'second']);
  });

  it('an unhealthy endpoint is reached by its own address', async () => {
    const { client, sick } = mesh().pods;
    expect(await fetchFrom(client!.netns, sick!.ipv4, 8080)).to.include({ status: 200, body: 'sick' });
  });

  it('a port that the service does not have is refused, and the log says so', async () => {
    const client = mesh().pod('client');
    expect(await reaches(client.netns, VIP.v4, 81)).to.equal(false);
    const entry = await client.waitForAccess({ 'dst.addr': `${VIP.v4}:81` });
    expect(entry).to.include({
      level: 'warn',
      message: 'connection failed',
      direction: 'outbound',
      reason: 'service-port-unknown',
    });
  });

  it('a service without endpoints is refused, and not passed through', async () => {
    const client = mesh().pod('client');
    expect(await reaches(client.netns, IDLE_VIP, 80)).to.equal(false);
    await client.waitForAccess({ 'dst.addr': `${IDLE_VIP}:80`, reason: 'service-without-endpoints' });
  });

  it('a port that nothing listens on ends the call, and both sides say why', async () => {
    const [client, server] = [mesh().pod('client'), mesh().pod('first')];
    expect(await reaches(client.netns, server.ipv4, 9)).to.equal(false);
    const about = { 'dst.hbone_addr': `${server.ipv4}:9` };
    await server.waitForAccess({ ...about, direction: 'inbound', reason: 'application-unreachable' });
    await client.waitForAccess({ ...about, direction: 'outbound', reason: /^refused-/ });
  });
});
