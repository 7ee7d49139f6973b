import { spawn } from 'node:child_process';
import { createServer as createHttp } from 'node:http';
import { createServer as createHttp2 } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Stream } from 'node:http2';
import { connect, createServer as createTcp } from 'node:net';
import type { AddressInfo, Server } from 'node:net';

import { expect } from 'chai';

import { ManualClock, realClock } from '@ambient/runtime';

import type { HandlerAction } from '../../objects/pod.ts';
import type { ProbeTarget } from './send-probe.ts';
import { sendProbe } from './send-probe.ts';

const target: ProbeTarget = {
  container: { name: 'c', ports: [{ name: 'web', containerPort: 1 }] },
  podIp: '127.0.0.1',
  connect: (host, port) => connect({ host, port }),
  spawn: ([program = '', ...args]) => spawn(program, args),
  clock: realClock,
};
const send = (action: HandlerAction, own = target): ReturnType<typeof sendProbe> =>
  sendProbe(action, own, 5000);

describe('one attempt of a probe', () => {
  const servers: Server[] = [];
  const portOf = async (server: Server): Promise<number> => {
    servers.push(server);
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    return (server.address() as AddressInfo).port;
  };
  afterEach(() => {
    for (const server of servers.splice(0)) server.close();
  });

  it('by HTTP is good from 200 to 399', async () => {
    const seen: string[] = [];
    const server = createHttp((request, response) => {
      seen.push(`${request.url} ${request.headers['x-probe'] as string} ${request.headers['user-agent']}`);
      response.writeHead(Number(request.url?.slice(1)), { location: '/elsewhere' }).end('x'.repeat(100_000));
    });
    const port = await portOf(server);
    const httpHeaders = [{ name: 'X-Probe', value: 'yes' }];
    for (const [status, success] of [
      [200, true],
      [302, true],
      [404, false],
      [500, false],
    ] as const)
      expect((await send({ httpGet: { port, path: `/${status}`, httpHeaders } })).success).to.equal(success);
    expect(seen[0]).to.equal('/200 yes kube-probe/1.32');
  });

  it('by TCP is good when somebody listens', async () => {
    const server = createTcp((socket) => socket.on('error', () => undefined));
    const port = await portOf(server);
    expect(await send({ tcpSocket: { port } })).to.include({ success: true });
    server.close();
    const refused = await send({ tcpSocket: { port } });
    expect(refused.success).to.equal(false);
    expect(refused.message).to.contain('ECONNREFUSED');
  });

  it('by gRPC is good when the service says that it serves', async () => {
    const asked: string[] = [];
    const server = createHttp2();
    server.on('stream', (stream: ServerHttp2Stream, headers: IncomingHttpHeaders) => {
      const chunks: Buffer[] = [];
      stream.on('data', (chunk: Buffer) => chunks.push(chunk));
      stream.on('end', () => {
        const service = Buffer.concat(chunks).subarray(7).toString();
        asked.push(`${headers[':path']} ${service}`);
        stream.respond({ ':status': 200, 'content-type': 'application/grpc' }, { waitForTrailers: true });
        stream.on('wantTrailers', () => stream.sendTrailers({ 'grpc-status': '0' }));
        stream.end(Buffer.from([0, 0, 0, 0, 2, 8, service === 'good' ? 1 : 2]));
      });
    });
    const port = await portOf(server);
    expect(await send({ grpc: { port, service: 'good' } })).to.include({ success: true });
    expect(await send({ grpc: { port, service: 'bad' } })).to.include({ success: false });
    expect(asked[0]).to.equal('/grpc.health.v1.Health/Check good');
  });

  it('of what speaks no HTTP, no gRPC, or nothing, is a failure and no crash', async () => {
    const garbage = createTcp((socket) => {
      socket.on('error', () => undefined);
      socket.end('\0\xff garbage\r\n\r\n');
    });
    const port = await portOf(garbage);
    expect((await send({ httpGet: { port } })).success).to.equal(false);
    expect((await send({ grpc: { port } })).success).to.equal(false);
    expect((await send({ httpGet: { port: 'nameless' } })).message).to.contain('no port named "nameless"');
    expect((await send({})).success).to.equal(false);
  });

  it('that takes too long has failed', async () => {
    const port = await portOf(createTcp((socket) => socket.on('error', () => undefined)));
    const clock = new ManualClock();
    const outcome = sendProbe({ httpGet: { port } }, { ...target, clock }, 1000);
    clock.advance(1000);
    expect(await outcome).to.deep.equal({ success: false, message: 'no answer within 1000 ms' });
  });

  it('by a command is good when that ends with 0', async () => {
    expect(await send({ exec: { command: ['true'] } })).to.include({ success: true });
    expect(await send({ exec: { command: ['sh', '-c', 'echo why; exit 3'] } })).to.deep.equal({
      success: false,
      message: 'why',
    });
    expect((await send({ exec: { command: ['/no/such/program'] } })).success).to.equal(false);
  });
});
