import { expect } from 'chai';
import { TestMesh } from './harness/index.ts';
import type { LocalService, LogEntry, Pod } from './harness/index.ts';

describe('traffic over HBONE', () => {
  let mesh: TestMesh;
  let client: Pod;
  let server: Pod;

  before(async () => {
    mesh = await TestMesh.start({
      pods: {
        client: {},
        server: {
          workload: {
            namespace: 'shop',
            services: { 'shop/web.shop.svc.cluster.local': { 80: 8080 } },
          },
        },
      },
      services: () => [service('web', ['/10.96.0.1', '/fd96::1'])],
    });
    client = mesh.pod('client');
    server = mesh.pod('server');
    for (const pod of [client, server]) await pod.serve('http-constant', { port: 8080, body: pod.name });
  });

  after(async () => {
    await mesh.stop();
  });

  for (const family of ['ipv4', 'ipv6'] as const)
    for (const [from, to] of [
      ['client', 'server'],
      ['server', 'client'],
    ] as const)
      it(`goes from ${from} to ${to} by ${family}`, async () => {
        const [caller, callee] = [mesh.pod(from), mesh.pod(to)];
        const ip = callee[family];
        const host = family === 'ipv6' ? `[${ip}]` : ip;
        expect(await caller.get(`http://${host}:8080/`)).to.include({ status: 200, body: to });
        const hbone = { 'dst.hbone_addr': `${host}:8080`, message: 'connection complete', reason: undefined };
        await caller.waitForAccess({ direction: 'outbound', 'dst.addr': `${host}:15008`, ...hbone });
        await callee.waitForAccess({ direction: 'inbound', 'dst.addr': `${host}:15008`, ...hbone });
      });

  it('goes to a virtual IP of either family, and stays in that family', async () => {
    for (const [vip, address] of [
      ['10.96.0.1', `${server.ipv4}:8080`],
      ['[fd96::1]', `[${server.ipv6}]:8080`],
    ] as const) {
      expect(await client.get(`http://${vip}/`)).to.include({ status: 200, body: 'server' });
      const to = { 'dst.service': 'web.shop.svc.cluster.local', 'dst.hbone_addr': address };
      await client.waitForAccess({ direction: 'outbound', ...to });
    }
  });

  it('refuses a port that the service has not, at the client', async () => {
    const connection = client.connect('10.96.0.1', 81);
    expect(await connection.ended()).to.not.equal('closed');
    connection.close();
    await client.waitForAccess({ message: 'connection failed', reason: 'service-port-unknown' });
  });

  it('logs both sides with the fields that Istio has, and no others', async () => {
    const call = client.connect(server.ipv4, 8080);
    call.finish('GET / HTTP/1.0\r\n\r\n');
    expect(await call.ended()).to.equal('eof');
    const [sent, received] = [18, call.received.length];
    call.close();
    const counted = { bytes_sent: sent, bytes_recv: received };
    const outbound = await client.waitForAccess({ direction: 'outbound', ...counted });
    const inbound = await server.waitForAccess({
      direction: 'inbound',
      bytes_sent: received,
      bytes_recv: sent,
    });
    const parties = {
      level: 'info',
      scope: 'access',
      message: 'connection complete',
      'src.workload': 'client',
      'src.namespace': 'default',
      'src.identity': 'spiffe://cluster.local/ns/default/sa/client',
      'src.cluster': 'Kubernetes',
      'dst.addr': `${server.ipv4}:15008`,
      'dst.hbone_addr': `${server.ipv4}:8080`,
      'dst.workload': 'server',
      'dst.namespace': 'shop',
      'dst.identity': 'spiffe://cluster.local/ns/shop/sa/server',
      'dst.cluster': 'Kubernetes',
    };
    expect(steady(outbound)).to.deep.equal({ ...parties, direction: 'outbound', ...counted });
    expect(steady(inbound)).to.deep.equal({
      ...parties,
      'dst.service': 'web.shop.svc.cluster.local',
      direction: 'inbound',
      bytes_sent: received,
      bytes_recv: sent,
    });
  });

  it('says that a connection has opened, at level debug', async () => {
    expect(await client.admin('/logging?level=access=debug', 'POST')).to.include({ status: 200 });
    const call = client.connect(server.ipv4, 8080);
    call.finish('GET / HTTP/1.0\r\n\r\n');
    await client.waitForAccess({ message: 'connection opened', level: 'debug', 'dst.workload': 'server' });
    await call.ended();
    call.close();
    await client.admin('/logging?reset', 'POST');
  });

  it('carries bulk both ways at once, in several connections', async () => {
    await server.serve('transfer-server', { port: 7100 });
    const bytes = { up: 24_000_000, down: 24_000_000, streams: 4 };
    expect(await client.transfer(server.ipv4, 7100, bytes)).to.include({ ok: true, streams: 4 });
    expect(await client.transfer(server.ipv6, 7100, { up: 4_000_000, down: 4_000_000 })).to.include({
      ok: true,
    });
  });

  it('tells a caller of a closed port at once, and why', async () => {
    const call = client.connect(server.ipv4, 8099);
    expect(await call.ended()).to.equal('ECONNRESET');
    await server.waitForAccess({
      reason: 'application-unreachable',
      'dst.hbone_addr': `${server.ipv4}:8099`,
    });
    await client.waitForAccess({ reason: 'refused-503', 'dst.hbone_addr': `${server.ipv4}:8099` });
  });

  it('guards its own ports, on loopback and in tunnels', async () => {
    for (const port of [15_001, 15_006, 15_008]) {
      const own = client.connect('127.0.0.1', port);
      own.finish('to myself');
      await own.ended();
      own.close();
      if (port === 15_008) continue; // redirection leaves it alone: that is how tunnels go
      const call = client.connect(server.ipv4, port);
      expect(await call.ended()).to.equal('ECONNRESET');
      call.close();
      await server.waitForAccess({ reason: 'proxy-port', 'dst.addr': `${server.ipv4}:15008` });
    }
    await client.waitForAccess({ direction: 'outbound', reason: 'self-call', 'dst.addr': '127.0.0.1:15001' });
    await client.waitForAccess({ direction: 'inbound', reason: 'self-call', 'dst.addr': '127.0.0.1:15006' });
    await client.waitForAccess({ direction: 'inbound', reason: 'not-tls', 'dst.addr': '127.0.0.1:15008' });
    expect(await client.get(`http://${server.ipv4}:8080/`)).to.include({ status: 200 });
  });
});

describe('choice among the endpoints of a service', () => {
  const hostname = (name: string): string => `shop/${name}.shop.svc.cluster.local`;
  let mesh: TestMesh;
  let client: Pod;

  before(async () => {
    const at = (region: string, zone: string) => ({ region, zone, subzone: '' });
    const endpoint = {
      namespace: 'shop',
      services: { [hostname('any')]: { 80: 8080 }, [hostname('near')]: { 80: 8080 } },
    };
    mesh = await TestMesh.start({
      pods: {
        client: { workload: { locality: at('north', 'n1') } },
        near: { workload: { ...endpoint, locality: at('north', 'n1') } },
        far: { workload: { ...endpoint, locality: at('south', 's1') } },
        sick: { workload: { ...endpoint, status: 'Unhealthy', locality: at('north', 'n1') } },
      },
      services: () => [
        service('any', ['/10.96.0.2']),
        {
          ...service('near', ['/10.96.0.3']),
          loadBalancer: {
            mode: 'Failover',
            routingPreferences: ['Network', 'Region', 'Zone'],
            healthPolicy: 'OnlyHealthy',
          },
        },
      ],
    });
    client = mesh.pod('client');
    for (const name of ['near', 'far', 'sick'])
      await mesh.pod(name).serve('http-constant', { port: 8080, body: name });
  });

  after(async () => {
    await mesh.stop();
  });

  /** Who answers when the address is called so many times. */
  async function answers(vip: string, calls: number): Promise<Set<string>> {
    const bodies = new Set<string>();
    for (let round = 0; round < calls; round++) {
      const call = client.connect(vip, 80);
      call.finish('GET / HTTP/1.0\r\n\r\n');
      expect(await call.ended()).to.equal('eof');
      call.close();
      bodies.add(call.received.toString('latin1').split('\r\n\r\n')[1] ?? '');
    }
    return bodies;
  }

  it('spreads connections over the healthy ones', async () => {
    expect([...(await answers('10.96.0.2', 40))].sort()).to.deep.equal(['far', 'near']);
  });

  it('prefers the near one where the service says so', async () => {
    expect([...(await answers('10.96.0.3', 20))]).to.deep.equal(['near']);
  });

  it('goes to an unhealthy one that is called by its own address', async () => {
    expect(await client.get(`http://${mesh.pod('sick').ipv4}:8080/`)).to.include({
      status: 200,
      body: 'sick',
    });
  });

  it('goes far when the near one is no more healthy, and comes back', async () => {
    await mesh.applied(() => mesh.setWorkload('near', { status: 'Unhealthy' }));
    expect([...(await answers('10.96.0.3', 10))]).to.deep.equal(['far']);
    await mesh.applied(() => mesh.setWorkload('near'));
    expect([...(await answers('10.96.0.3', 10))]).to.deep.equal(['near']);
  });
});

/** Without what differs from run to run, which is checked for its form. */
function steady(entry: LogEntry): LogEntry {
  const { time, duration, 'src.addr': source, ...rest } = entry;
  expect(time).to.match(/^\d{4}-\d\d-\d\dT[\d:.]+Z$/);
  expect(duration).to.match(/^\d+ms$/);
  expect(source).to.match(/^10\.77\.0\.1:\d+$/);
  return rest;
}

function service(name: string, vips: readonly string[]): LocalService {
  return {
    name,
    namespace: 'shop',
    hostname: `${name}.shop.svc.cluster.local`,
    vips,
    ports: { 80: 8080 },
  };
}
