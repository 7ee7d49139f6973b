// ambientctl against the laboratory's API: ztunnels are found by their labels, reached by a forwarded port of their pod, and asked
// at their admin port; here that is a server of the test.
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import type { Server } from 'node:http';
import { createConnection } from 'node:net';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { runAmbientctl } from '@ambient/cli';
import type { CliContext } from '@ambient/cli';
import { LabApi, StreamingServer } from '@ambient/lab';
import { realClock } from '@ambient/runtime';
import { expect } from 'chai';

interface Ran {
  readonly code: number;
  readonly out: string;
  readonly err: string;
}

describe('ambientctl and a cluster', function () {
  this.timeout(30_000);
  let directory: string;
  let api: LabApi;
  let streaming: StreamingServer;
  let admin: Server;
  let adminPort: string;
  const asked: string[] = [];
  const dump = {
    workloads: [
      { name: 'catalog', namespace: 'shop', workloadIps: ['10.244.2.3'], node: 'two', protocol: 'HBONE' },
    ],
    services: [],
    policies: [],
    certificates: [],
    workloadState: {},
  };
  const outbound = {
    workload: 'shop/checkout',
    identity: 'spiffe://cluster.local/ns/shop/sa/checkout',
    sourceIp: '10.244.1.7',
    destination: '10.96.0.20:80',
    route: 'hbone',
    via: 'direct',
    nextHop: { name: 'catalog', namespace: 'shop', node: 'two' },
    authority: '10.244.2.3:8080',
    lines: ['HBONE to catalog'],
  };

  /** As main.ts does, in this process: starting one for each takes long. */
  const run = async (...words: string[]): Promise<Ran> => {
    const ran = { out: '', err: '' };
    const context: CliContext = {
      out: (text) => void (ran.out += text),
      err: (text) => void (ran.err += text),
      terminal: undefined,
      clock: realClock,
      settings: { kubeconfig: join(directory, 'kubeconfig'), home: directory, runtimeDirectory: directory },
      interrupted: new AbortController().signal,
      readFile: () => Promise.reject(new Error('no files')),
      stdin: new PassThrough(),
      setExitCode: () => undefined,
    };
    return { code: await runAmbientctl(['--namespace', 'shop', ...words], context), ...ran };
  };
  const pod = (
    namespace: string,
    name: string,
    node: string,
    over: object = {},
    ip = '10.244.1.7',
  ): object => ({
    apiVersion: 'v1',
    kind: 'Pod',
    metadata: { namespace, name, ...over },
    spec: { nodeName: node, containers: [{ name: 'main', image: 'x' }] },
    status: {
      phase: 'Running',
      podIP: ip,
      podIPs: [{ ip }],
      conditions: [{ type: 'Ready', status: 'True' }],
    },
  });

  before(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ambientctl-'));
    admin = createServer((request, response) => {
      const url = decodeURIComponent(request.url ?? '');
      asked.push(`${request.method} ${url}`);
      if (url === '/config_dump') response.end(JSON.stringify(dump));
      else if (url.startsWith('/explain?from=')) response.end(JSON.stringify(outbound));
      else if (url.startsWith('/explain?at='))
        response.end(JSON.stringify({ workload: 'shop/catalog', allowed: true, lines: ['allowed'] }));
      else response.end('current log level is info\n');
    });
    await once(admin.listen(0, '127.0.0.1'), 'listening');
    adminPort = String((admin.address() as AddressInfo).port);
    const socketPath = join(directory, 'kubelet.sock');
    const logPath = join(directory, 'web.log');
    writeFileSync(logPath, '2026-01-02T03:04:05Z stdout F hello\n');
    streaming = await StreamingServer.listen({
      socketPath,
      containers: {
        find: () => ({
          logPath,
          previousLogPath: undefined,
          running: true,
          spawn: ([file, ...rest]) => spawn(file!, rest, { stdio: ['ignore', 'pipe', 'pipe'] }),
          connect: (port) => createConnection({ port, host: '127.0.0.1' }),
        }),
      },
    });
    api = await LabApi.start({ host: '127.0.0.1', port: 0, kubelets: () => socketPath });
    writeFileSync(join(directory, 'kubeconfig'), api.kubeconfig, { mode: 0o600 });
    const labels = { app: 'ztunnel' };
    await api.load(
      JSON.parse(
        JSON.stringify([
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'istio-system' } },
          { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'shop' } },
          pod('istio-system', 'ztunnel-a', 'one', { labels }),
          pod('istio-system', 'ztunnel-b', 'two', { labels }),
          pod('shop', 'checkout', 'one', { annotations: { 'ambient.istio.io/redirection': 'enabled' } }),
          {
            apiVersion: 'v1',
            kind: 'Service',
            metadata: { namespace: 'shop', name: 'catalog' },
            spec: { clusterIP: '10.96.0.20', ports: [{ port: 80 }] },
          },
        ]),
      ) as Parameters<LabApi['load']>[0],
    );
  });
  after(async () => {
    await api.stop();
    await streaming.stop();
    admin.closeAllConnections();
    admin.close();
    rmSync(directory, { recursive: true });
  });

  it('reads a dump through the API, of any ztunnel, a named one and that of a node', async () => {
    const config = (...words: string[]): Promise<Ran> =>
      run('ztunnel-config', ...words, '--proxy-admin-port', adminPort);
    const all = await config('workloads');
    expect(all.err).to.equal('');
    expect(all.out).to.match(/NODE +WAYPOINT.*\nshop +catalog +10\.244\.2\.3 +two/);
    expect((await config('workloads', 'ztunnel-b.istio-system')).out).to.equal(all.out);
    expect((await config('connections', '--node', 'two')).out).to.match(/^WORKLOAD/);
    const several = await config('certificates');
    expect(several).to.include({ code: 2 });
    expect(several.err).to.contain('ztunnel-a.istio-system, ztunnel-b.istio-system');
    expect((await config('workloads', '--node', 'three')).err).to.contain('no ztunnel runs on node three');
    expect((await config('log')).out.match(/current log level is info/g)).to.have.length(2);
  });

  it('explains a connection by names, asking the ztunnels of both nodes', async () => {
    asked.length = 0;
    const { out, err } = await run('explain', 'checkout', 'catalog', '--proxy-admin-port', adminPort);
    expect(err).to.equal('');
    expect(asked).to.deep.equal([
      'GET /explain?from=shop/checkout&to=10.96.0.20:80',
      'GET /explain?at=shop/catalog&source=10.244.1.7&authority=10.244.2.3:8080&identity=spiffe://cluster.local/ns/shop/sa/checkout',
    ]);
    expect(out).to.contain('source, ztunnel-a.istio-system, node one');
    expect(out).to.contain('destination, ztunnel-b.istio-system, node two');
    expect(out.trimEnd().split('\n').at(-1)).to.equal('HBONE; allowed since no ALLOW policy applies');
  });

  it('checks that each pod of the mesh is captured', async () => {
    const { out } = await run('check');
    expect(out).to.match(/one +ztunnel-a +1 +0\ntwo +ztunnel-b +0 +0\n/);
  });

  it('says which name is not there, and which port does not listen', async () => {
    expect((await run('explain', 'checkout', 'svc/none')).err).to.contain(
      'no service none in namespace shop',
    );
    expect((await run('explain', 'nobody', 'catalog')).err).to.contain('"nobody" not found');
    const closed = await run('ztunnel-config', 'workloads', '--proxy-admin-port', '1');
    expect(closed.code).to.equal(1);
    expect(closed.err).to.contain('cannot connect to port 1 of the pod');
  });
});
