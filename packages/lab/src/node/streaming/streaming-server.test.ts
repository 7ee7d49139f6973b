import { once } from 'node:events';
import { createConnection, createServer } from 'node:net';
import type { AddressInfo } from 'node:net';
import { PassThrough } from 'node:stream';

import { Exec, KubeConfig, PortForward } from '@kubernetes/client-node';
import type { V1Status } from '@kubernetes/client-node';
import { expect } from 'chai';
import { WebSocket } from 'ws';

import { NodeWithProcesses } from './testing/node-with-processes.ts';

describe('the streaming server of a node', () => {
  let node: NodeWithProcesses;
  before(async () => {
    node = await NodeWithProcesses.start();
  });
  after(async () => {
    await node[Symbol.asyncDispose]();
    expect(node.faults).to.deep.equal([]);
  });

  const config = (): KubeConfig => {
    const kubeconfig = new KubeConfig();
    kubeconfig.loadFromString(node.api.kubeconfig);
    return kubeconfig;
  };
  /** A request as it is, and the answer up to the end of the connection. */
  const raw = async (text: string): Promise<string> => {
    const socket = createConnection(node.socketPath);
    socket.write(text);
    const chunks = (await socket.toArray()) as Buffer[];
    return Buffer.concat(chunks).toString();
  };
  const webSocket = (path: string, protocols: string[]): WebSocket =>
    new WebSocket(`ws+unix:${node.socketPath}:${path}`, protocols);

  it('runs a program for the JavaScript client, with its input and its end', async () => {
    const stdin = new PassThrough();
    const stdout = new PassThrough();
    const command = ['sh', '-c', 'cat; exit 3'];
    const { promise, resolve } = Promise.withResolvers<V1Status>();
    await new Exec(config()).exec('shop', 'web', 'app', command, stdout, null, stdin, false, resolve);
    stdin.end('hello');
    const status = await promise;
    expect(status.details?.causes).to.deep.equal([{ reason: 'ExitCode', message: '3' }]);
    expect(String(stdout.read())).to.equal('hello');
  });

  it('forwards a port for the JavaScript client', async () => {
    const server = createServer((socket) => socket.end('greetings'));
    await once(server.listen(0, '127.0.0.1'), 'listening');
    const { port } = server.address() as AddressInfo;
    const output = new PassThrough();
    await new PortForward(config()).portForward('shop', 'web', [port], output, null, new PassThrough());
    const [chunk] = (await once(output, 'data')) as [Buffer];
    expect(chunk.toString()).to.equal('greetings');
    server.close();
  });

  it('tells a client whose container has ended since it asked', async () => {
    const app = node.containers.get('app')!;
    const original = { connect: app.connect.bind(app) };
    app.connect = () => {
      throw new Error('container app is not running');
    };
    const socket = webSocket('/portForward/shop/web?port=80', ['v4.channel.k8s.io']);
    const seen: string[] = [];
    socket.on('message', (data: Buffer) => seen.push(data.toString('latin1')));
    await once(socket, 'close');
    app.connect = original.connect;
    expect(seen).to.deep.equal([
      '\0P\0',
      '\x01P\0',
      '\x01cannot connect to port 80 of the pod: container app is not running',
    ]);
  });

  it('ends a program whose client leaves', async () => {
    const socket = webSocket('/exec/shop/web/app?command=cat&input=1&output=1', ['v5.channel.k8s.io']);
    await once(socket, 'open');
    socket.send(Buffer.from('\0ready'));
    const [message] = (await once(socket, 'message')) as [Buffer];
    expect(message.toString()).to.equal('\x01ready');
    socket.terminate();
    await node.lastEnded();
  });

  it('shows the output from now on to whoever attaches', async () => {
    node.log('app', '2026-01-01T00:00:00Z stdout F before');
    const socket = webSocket('/attach/shop/web/app?output=1', ['v4.channel.k8s.io']);
    const seen: string[] = [];
    socket.on('message', (data: Buffer) => seen.push(data.toString()));
    await once(socket, 'open');
    const first = once(socket, 'message');
    node.log('app', '2026-01-01T00:00:01Z stdout F after');
    await first;
    node.containers.get('app')!.running = false;
    await once(socket, 'close');
    node.containers.get('app')!.running = true;
    expect(seen[0]).to.equal('\x01after\n');
    expect(seen[1]).to.contain('"Success"');
  });

  const head = (line: string, ...headers: string[]): string =>
    [line, 'Host: x', ...headers, '', ''].join('\r\n');
  const spdy = ['Connection: Upgrade', 'Upgrade: SPDY/3.1'];
  const v4 = 'X-Stream-Protocol-Version: v4.channel.k8s.io';
  for (const [what, request, code, text] of [
    ['a path that is not served', head('GET /secrets HTTP/1.1'), 404, 'could not find'],
    ['a path with a broken escape', head('GET /exec/shop/web/%zz HTTP/1.1', ...spdy), 404, 'could not find'],
    [
      'a command without an upgrade',
      head('POST /exec/shop/web/app?command=ls HTTP/1.1'),
      400,
      'not an upgrade',
    ],
    [
      'an upgrade to another protocol',
      head('GET /exec/shop/web/app?command=ls HTTP/1.1', 'Connection: Upgrade', 'Upgrade: h2c'),
      400,
      'websocket and SPDY/3.1',
    ],
    ['an upgrade of a log', head('GET /containerLogs/shop/web/app HTTP/1.1', ...spdy), 400, 'not for logs'],
    ['no command', head('POST /exec/shop/web/app HTTP/1.1', ...spdy, v4), 400, 'at least one command'],
    [
      'an old stream protocol',
      head(
        'POST /exec/shop/web/app?command=ls HTTP/1.1',
        ...spdy,
        'X-Stream-Protocol-Version: channel.k8s.io',
      ),
      403,
      'offer X-Stream-Protocol-Version: v4.channel.k8s.io',
    ],
    [
      'a pod of another node',
      head('GET /exec/shop/none/app?command=ls HTTP/1.1', ...spdy, v4),
      400,
      'shop/none',
    ],
    [
      'a log option that is none',
      head('GET /containerLogs/shop/web/app?tailLines=x HTTP/1.1'),
      400,
      'tailLines',
    ],
  ] as const)
    it(`refuses ${what}`, async () => {
      const answer = await raw(request);
      expect(answer).to.match(new RegExp(`^HTTP/1.1 ${code} `));
      expect(answer).to.contain(text);
    });

  it('refuses a WebSocket that speaks no channels, and a port that is none', async () => {
    for (const [path, protocol, code] of [
      ['/exec/shop/web/app?command=ls', 'chat', 400],
      ['/portForward/shop/web?port=99999', 'v4.channel.k8s.io', 400],
      ['/portForward/shop/web', 'v4.channel.k8s.io', 400],
    ] as const) {
      const socket = webSocket(path, [protocol]);
      const [error] = (await once(socket, 'error')) as [Error];
      expect(error.message).to.contain(String(code));
    }
  });

  it('a client of channels that sends text loses its connection alone', async () => {
    const socket = webSocket('/exec/shop/web/app?command=cat&input=1', ['v5.channel.k8s.io']);
    await once(socket, 'open');
    socket.send('text');
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).to.equal(1003);
    await node.lastEnded();
  });

  it('a client that sends more than a message may have loses its connection alone', async () => {
    const socket = webSocket('/exec/shop/web/app?command=cat&input=1', ['v5.channel.k8s.io']);
    socket.on('error', () => undefined);
    await once(socket, 'open');
    socket.send(Buffer.alloc(2 * 1024 * 1024));
    const [code] = (await once(socket, 'close')) as [number];
    expect(code).to.equal(1009);
    await node.lastEnded();
  });
});
