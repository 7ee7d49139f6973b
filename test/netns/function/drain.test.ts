import { expect } from 'chai';
import { TestMesh } from '../harness/index.ts';
import type { Pod } from '../harness/index.ts';
import { admin, Call, fetchFrom, reaches } from './call.ts';
import { HttpLoad } from './http-load.ts';

const ECHO_PORT = 7000;
const HTTP_PORT = 8080;
const BULK = 'x'.repeat(1024 * 1024);
/** Calls that take far longer than a proxy takes to tell its workers. */
const MANY_TRIES = 200;
const DRAINING = /"message":"draining"/;

/** Whether calls come to be refused, and stay so. */
async function soonRefused(from: Pod, to: Pod): Promise<boolean> {
  for (let tries = 0; tries < MANY_TRIES; tries += 1)
    if (!(await reaches(from.netns, to.ipv4, ECHO_PORT)))
      return !(await reaches(from.netns, to.ipv4, ECHO_PORT));
  return false;
}

describe('the end of a proxy', () => {
  let mesh: TestMesh;

  async function start(deadline: string): Promise<TestMesh> {
    mesh = await TestMesh.start({
      pods: { client: {}, server: {}, plain: { proxy: false } },
      env: { CONNECTION_TERMINATION_DEADLINE: deadline },
    });
    await mesh.pod('server').serve('echo', { port: ECHO_PORT });
    return mesh;
  }
  afterEach(() => mesh.destroy());

  for (const [name, direction] of [
    ['client', 'outbound'],
    ['server', 'inbound'],
  ] as const)
    it(`${direction}: on SIGTERM what is open goes on to its end, and nothing new is taken`, async () => {
      const { pods } = await start('20s');
      const [client, server] = [pods['client']!, pods['server']!];
      const { proxy } = pods[name]!;
      using open = new Call(client.netns, server.ipv4, ECHO_PORT);
      expect(await open.echo('before')).to.equal(true);

      proxy.signal('SIGTERM');
      await proxy.waitForLine(DRAINING);
      const ready = await fetchFrom(pods[name]!.netns, '127.0.0.1', 15_021, { path: '/healthz/ready' });
      expect(ready.status).to.equal(500);
      expect(ready.body).to.contain('draining');
      // A tunnel that was asked for before its proxy heard of the end may still be served.
      expect(await soonRefused(client, server), 'a new call over HBONE').to.equal(true);
      if (name === 'server') expect(await soonRefused(pods['plain']!, server), 'in plaintext').to.equal(true);

      expect(await open.echo(BULK)).to.equal(true);
      expect(await open.finish()).to.equal('eof');
      expect(await proxy.exited).to.deep.equal({ code: 0, signal: null });
      const entry = await pods[name]!.waitForAccess({ direction, bytes_sent: BULK.length + 'before'.length });
      expect(entry).to.include({ message: 'connection complete', level: 'info' });
    });

  for (const [name, direction] of [
    ['client', 'outbound'],
    ['server', 'inbound'],
  ] as const)
    it(`${direction}: what is open at the deadline is cut, and the log says why`, async () => {
      const { pods } = await start('200ms');
      const { proxy } = pods[name]!;
      using open = new Call(pods['client']!.netns, pods['server']!.ipv4, ECHO_PORT);
      expect(await open.echo('before')).to.equal(true);
      proxy.signal('SIGTERM');
      await open.endsWithin(3000);
      expect(await proxy.exited).to.deep.equal({ code: 0, signal: null });
      const entry = pods[name]!.log().find((line) => line['message'] === 'connection complete');
      expect(entry).to.include({ level: 'error', direction, reason: 'drain-deadline', bytes_sent: 6 });
    });

  it('a second SIGTERM does not wait for the deadline', async () => {
    const { pods } = await start('60s');
    const { proxy } = pods['server']!;
    using open = new Call(pods['client']!.netns, pods['server']!.ipv4, ECHO_PORT);
    expect(await open.echo('before')).to.equal(true);
    proxy.signal('SIGTERM');
    await proxy.waitForLine(DRAINING);
    proxy.signal('SIGTERM');
    await open.endsWithin(3000);
    expect((await proxy.exited).code).to.equal(0);
  });

  it('POST /quitquitquit ends it as SIGTERM does', async () => {
    const { pods } = await start('20s');
    const { proxy } = pods['server']!;
    expect((await admin(pods['server']!, 'POST', '/quitquitquit')).status).to.equal(200);
    await proxy.waitForLine(DRAINING);
    expect(await proxy.exited).to.deep.equal({ code: 0, signal: null });
  });

  for (const name of ['client', 'server'])
    it(`the ${name}'s proxy is replaced under load, and no request fails`, async () => {
      const { pods } = await start('20s');
      const [client, server, plain] = [pods['client']!, pods['server']!, pods['plain']!];
      await server.serve('http-constant', { port: HTTP_PORT });
      // A handshake that is under way when its listener closes goes on at another one of the port.
      await pods[name]!.netns.sysctl({ 'net.ipv4.tcp_migrate_req': '1' });
      const old = pods[name]!.proxy;
      const load = new HttpLoad([client.netns, plain.netns], server.ipv4, HTTP_PORT);
      try {
        await load.round();
        const young = await mesh.startProxy(name);
        await young.waitForLine(/"message":"serving"/);
        await load.round();
        old.signal('SIGTERM');
        expect(await old.exited).to.deep.equal({ code: 0, signal: null });
        await load.round();
      } finally {
        await load.stop();
      }
      expect(load.failures).to.deep.equal([]);
      expect(load.answers).to.be.greaterThan(100);
      // What came after the old one's end was carried by the new one.
      await pods[name]!.waitForAccess({ message: 'connection complete', 'dst.workload': 'server' });
    });
});
