import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { createServer, request } from 'node:http';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

import { expect } from 'chai';

import { NodeWithProcesses } from './testing/node-with-processes.ts';

interface Ran {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

/** Protocols that kubectl speaks, by its switches: WebSockets since 1.29, SPDY always; an older one runs all of it by SPDY. */
const transports = [
  {
    name: 'WebSocket',
    env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'true', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'true' },
  },
  {
    name: 'SPDY',
    env: { KUBECTL_REMOTE_COMMAND_WEBSOCKETS: 'false', KUBECTL_PORT_FORWARD_WEBSOCKETS: 'false' },
  },
];

for (const transport of transports)
  describe(`kubectl logs, exec and port-forward by ${transport.name}`, function () {
    this.timeout(60_000);
    let node: NodeWithProcesses;
    const running = new Set<ChildProcess>();

    const start = (...args: string[]): ChildProcess => {
      const child = spawn(
        'kubectl',
        [
          '--kubeconfig',
          node.kubeconfigPath,
          '--cache-dir',
          join(node.directory, 'cache'),
          '-n',
          'shop',
          ...args,
        ],
        { env: { PATH: process.env['PATH'], HOME: node.directory, ...transport.env } },
      );
      running.add(child);
      child.once('close', () => running.delete(child));
      return child;
    };
    const kubectl = async (args: readonly string[], input?: string): Promise<Ran> => {
      const child = start(...args);
      child.stdin!.on('error', () => undefined);
      child.stdin!.end(input);
      const output = { stdout: '', stderr: '' };
      child.stdout!.on('data', (chunk: Buffer) => (output.stdout += chunk.toString()));
      child.stderr!.on('data', (chunk: Buffer) => (output.stderr += chunk.toString()));
      const [code] = (await once(child, 'close')) as [number];
      return { code, ...output };
    };

    before(async () => {
      node = await NodeWithProcesses.start();
    });
    after(async () => {
      for (const child of running) child.kill('SIGKILL');
      await node[Symbol.asyncDispose]();
      expect(node.faults).to.deep.equal([]);
    });

    it('runs a program and prints what it prints', async () => {
      const ran = await kubectl(['exec', 'web', '-c', 'app', '--', 'sh', '-c', 'echo out; echo err >&2']);
      expect(ran).to.deep.equal({ code: 0, stdout: 'out\n', stderr: 'err\n' });
    });

    it('hands on the exit code', async () => {
      const ran = await kubectl(['exec', 'web', '-c', 'app', '--', 'sh', '-c', 'exit 7']);
      expect(ran.code).to.equal(7);
      expect(ran.stderr).to.contain('exit code 7');
    });

    it('gives a program its input, and its end', async () => {
      const text = 'a line of the input\n'.repeat(20_000);
      const ran = await kubectl(['exec', '-i', 'web', '-c', 'app', '--', 'wc', '-c'], text);
      expect(ran.stdout.trim()).to.equal(String(text.length));
    });

    it('carries megabytes of output whole', async () => {
      const ran = await kubectl(['exec', 'web', '-c', 'app', '--', 'head', '-c', '5000000', '/dev/zero']);
      expect(ran.stdout.length).to.equal(5_000_000);
    });

    it('says why a program does not start', async () => {
      const ran = await kubectl(['exec', 'web', '-c', 'app', '--', '/no/such/program']);
      expect(ran.code).to.equal(1);
      expect(ran.stderr).to.contain('/no/such/program');
    });

    it('refuses what is not there, by name', async () => {
      expect((await kubectl(['exec', 'web', '-c', 'none', '--', 'true'])).stderr).to.contain('none');
      expect((await kubectl(['exec', 'nobody', '--', 'true'])).stderr).to.contain('"nobody" not found');
      expect((await kubectl(['exec', 'far', '--', 'true'])).stderr).to.contain('node two');
    });

    it('refuses a command for a container that does not run', async () => {
      const side = node.containers.get('side')!;
      side.running = false;
      const ran = await kubectl(['exec', 'web', '-c', 'side', '--', 'true']);
      side.running = true;
      expect(ran.stderr).to.contain('does not run');
    });

    it('forwards a port to several clients, and says what does not listen', async () => {
      const server = createServer((_, response) => response.end('a'.repeat(300_000)));
      await once(server.listen(0, '127.0.0.1'), 'listening');
      const { port } = server.address() as AddressInfo;
      const child = start('port-forward', 'pod/web', `:${port}`, ':1', '--address', '127.0.0.1');
      const lines = createInterface({ input: child.stdout! });
      const local: number[] = [];
      for await (const line of lines) {
        local.push(Number(/127\.0\.0\.1:(\d+)/.exec(line)?.[1]));
        if (local.length === 2) break;
      }
      const errors: string[] = [];
      child.stderr!.on('data', (chunk: Buffer) => errors.push(chunk.toString()));
      const lengths = await Promise.all([1, 2, 3, 4].map(() => get(local[0]!)));
      expect(lengths).to.deep.equal([300_000, 300_000, 300_000, 300_000]);
      await get(local[1]!).catch(() => undefined);
      expect(errors.join('')).to.contain('cannot connect to port 1 of the pod');
      child.kill('SIGTERM');
      await once(child, 'close');
      server.close();
    });

    it('prints a log, its end, its times and a part of it', async () => {
      const log = ['one', 'two', 'three'];
      node.containers.get('app')!.logPath = join(node.directory, `app-${transport.name}.log`);
      node.log('app', ...log.map((text, second) => `2026-01-02T03:04:0${second}.5Z stdout F ${text}`));
      const logs = async (...args: string[]): Promise<string> =>
        (await kubectl(['logs', 'web', '-c', 'app', ...args])).stdout;
      expect(await logs()).to.equal('one\ntwo\nthree\n');
      expect(await logs('--tail=1')).to.equal('three\n');
      expect(await logs('--timestamps', '--tail=1')).to.equal('2026-01-02T03:04:02.5Z three\n');
      expect(await logs('--since-time=2026-01-02T03:04:01Z')).to.equal('two\nthree\n');
      expect(await logs('--limit-bytes=5')).to.equal('one\nt');
      expect((await kubectl(['logs', 'web', '-c', 'app', '-p'])).stderr).to.contain('previous terminated');
    });

    it('follows a log until the container ends', async () => {
      const app = node.containers.get('app')!;
      app.logPath = join(node.directory, `follow-${transport.name}.log`);
      node.log('app', '2026-01-02T03:04:05Z stdout F first');
      const child = start('logs', '-f', 'web', '-c', 'app');
      const seen: string[] = [];
      for await (const line of createInterface({ input: child.stdout! })) {
        seen.push(line);
        if (line === 'first') node.log('app', '2026-01-02T03:04:06Z stdout F second');
        else app.running = false;
      }
      app.running = true;
      expect(seen).to.deep.equal(['first', 'second']);
    });
  });

function get(port: number): Promise<number> {
  return new Promise((resolve, reject) => {
    request({ port, host: '127.0.0.1', agent: false }, (response) => {
      let bytes = 0;
      response.on('data', (chunk: Buffer) => (bytes += chunk.length));
      response.on('end', () => resolve(bytes));
      response.on('error', reject);
    })
      .on('error', reject)
      .end();
  });
}
