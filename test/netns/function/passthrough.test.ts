import { expect } from 'chai';
import { reaches } from './call.ts';
import { useMesh } from './use-mesh.ts';

const ECHO_PORT = 7000;
const TRANSFER_PORT = 7001;
/** More than what is copied before a relay goes over to splice(2), and no whole number of pages. */
const BULK_BYTES = 12_345_679;

describe('plaintext through a proxy', () => {
  const mesh = useMesh({ pods: { client: {}, server: {}, plain: { proxy: false } } }, ({ pods }) =>
    Promise.all(
      ['server', 'plain'].flatMap((name) => [
        pods[name]!.serve('echo', { port: ECHO_PORT }),
        pods[name]!.serve('transfer-server', { port: TRANSFER_PORT }),
      ]),
    ),
  );

  for (const family of ['ipv4', 'ipv6'] as const) {
    it(`bulk goes unchanged both ways to a destination outside the mesh, over ${family}`, async () => {
      const { client, plain } = mesh().pods;
      const address = family === 'ipv6' ? `[${plain!.ipv6}]` : plain!.ipv4;
      const bytes = { up: BULK_BYTES, down: BULK_BYTES + 1, streams: 2 };
      const answer = await client!.transfer(plain![family], TRANSFER_PORT, bytes);
      expect(answer, JSON.stringify(answer)).to.include({ ok: true });
      const entry = await client!.waitForAccess({
        'dst.addr': `${address}:${TRANSFER_PORT}`,
        direction: 'outbound',
      });
      expect(entry).to.include({ level: 'info', message: 'connection complete' });
      expect(entry['bytes_sent']).to.be.greaterThan(BULK_BYTES);
      expect(entry['bytes_recv']).to.be.greaterThan(BULK_BYTES);
      for (const absent of ['src.identity', 'dst.identity', 'dst.hbone_addr', 'dst.workload'])
        expect(entry).not.to.have.property(absent);
    });

    it(`bulk goes unchanged both ways from outside the mesh to a pod, over ${family}`, async () => {
      const { server, plain } = mesh().pods;
      const address = family === 'ipv6' ? `[${server!.ipv6}]` : server!.ipv4;
      const bytes = { up: BULK_BYTES, down: BULK_BYTES + 1, streams: 2 };
      const answer = await plain!.transfer(server![family], TRANSFER_PORT, bytes);
      expect(answer, JSON.stringify(answer)).to.include({ ok: true });
      const entry = await server!.waitForAccess({
        'dst.addr': `${address}:${TRANSFER_PORT}`,
        direction: 'inbound',
      });
      expect(entry).to.include({ 'dst.workload': 'server', message: 'connection complete' });
      expect(entry['bytes_sent']).to.be.greaterThan(BULK_BYTES);
    });
  }

  it('a closed port outside the mesh ends the call, and the log names the errno', async () => {
    const { client, plain } = mesh().pods;
    expect(await reaches(client!.netns, plain!.ipv4, 9)).to.equal(false);
    await client!.waitForAccess({ 'dst.addr': `${plain!.ipv4}:9`, level: 'error', reason: 'ECONNREFUSED' });
  });

  it('from outside, ports of the proxy are no way in', async () => {
    const { server, plain } = mesh().pods;
    for (const port of [15_001, 15_006]) {
      expect(await reaches(plain!.netns, server!.ipv4, port), `${port}`).to.equal(false);
      await server!.waitForAccess({
        'dst.addr': `${server!.ipv4}:${port}`,
        direction: 'inbound',
        message: 'connection failed',
        reason: 'self-call',
      });
    }
    expect(await reaches(plain!.netns, server!.ipv4, 15_008)).to.equal(false);
  });

  it('an application that dials a port of its own proxy is refused, and no loop comes of it', async () => {
    const { client } = mesh().pods;
    const ports: [string, number][] = [
      ['127.0.0.1', 15_001],
      ['::1', 15_001],
      [client!.ipv4, 15_001],
      ['127.0.0.1', 15_006],
      ['127.0.0.1', 15_008],
    ];
    for (const [ip, port] of ports)
      expect(await reaches(client!.netns, ip, port), `${ip} ${port}`).to.equal(false);
    await client!.waitForAccess({ 'dst.addr': '127.0.0.1:15001', reason: 'self-call' });
    await client!.waitForAccess({ 'dst.addr': '[::1]:15001', reason: 'self-call' });
    await client!.waitForAccess({ 'dst.addr': `${client!.ipv4}:15001`, reason: 'self-call' });
    await client!.waitForAccess({ 'dst.addr': '127.0.0.1:15006', reason: 'self-call' });
  });

  it("an HBONE tunnel to a port of the server's proxy is refused", async () => {
    const { client, server } = mesh().pods;
    for (const port of [15_001, 15_006]) {
      expect(await reaches(client!.netns, server!.ipv4, port), `${port}`).to.equal(false);
      await server!.waitForAccess({ reason: 'proxy-port', error: new RegExp(`:${port}\\b`) });
    }
  });

  it('an application reaches itself by its own address', async () => {
    const { server } = mesh().pods;
    expect(await reaches(server!.netns, server!.ipv4, ECHO_PORT)).to.equal(true);
    expect(await reaches(server!.netns, server!.ipv6, ECHO_PORT)).to.equal(true);
  });
});
