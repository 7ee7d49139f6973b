import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogLevels, LogOutput } from '@ambient/runtime';
import { assertNoLeak, takeLeakSnapshot } from '@ambient/testkit';
import { expect } from 'chai';
import { startZtunnel } from './app.ts';
import type { Ztunnel } from './app.ts';
import type { HttpEndpoint } from './admin/http-endpoint.ts';
import { dedicatedSettings } from './testing/dedicated-settings.ts';

const spiffe = 'spiffe://cluster.local/ns/a/sa/client';
const workload = (name: string, ip: string): string =>
  `{uid: ${name}, name: ${name}, namespace: a, serviceAccount: client, workloadIps: [${ip}], protocol: HBONE, node: n1}`;

/** The log of a process, which tests read along. */
class Log {
  text = '';
  readonly output = new LogOutput('plain', {
    write: (lines) => {
      this.text += lines;
      for (const look of this.#watchers) look();
    },
    flushSync: () => {},
    end: () => {},
  });
  readonly #watchers = new Set<() => void>();

  /** Waits, within the time limit of the test, until the whole log matches. */
  async sees(pattern: RegExp): Promise<RegExpExecArray> {
    return new Promise((resolve) => {
      const look = (): void => {
        const match = pattern.exec(this.text);
        if (match === null) return;
        this.#watchers.delete(look);
        resolve(match);
      };
      this.#watchers.add(look);
      look();
    });
  }
}

describe('the app with workers that carry nothing', () => {
  let directory: string;
  let meshPath: string;
  let log: Log;
  let ztunnel: Ztunnel | undefined;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ztunnel-app-'));
    meshPath = join(directory, 'mesh.yaml');
    writeFileSync(meshPath, `workloads: [${workload('client', '10.0.0.1')}]`);
    log = new Log();
    ztunnel = undefined;
  });

  afterEach(async () => {
    ztunnel?.shutdown('test');
    ztunnel?.shutdown('test');
    await ztunnel?.ended.catch(() => {});
    rmSync(directory, { recursive: true });
  });

  /** Starts with `env` over: local mesh, throwaway CA, one worker. */
  async function start(env: Record<string, string> = {}): Promise<Ztunnel> {
    const settings = await dedicatedSettings({
      LOCAL_XDS_PATH: meshPath,
      FAKE_CA_DIR: join(directory, 'ca'),
      ZTUNNEL_WORKER_THREADS: '1',
      IPV6_ENABLED: 'false',
      ...env,
    });
    ztunnel = await startZtunnel({
      settings,
      logLevels: new LogLevels('info', 'ztunnel'),
      logOutput: log.output,
      workerEntry: new URL('./testing/fake-worker.ts', import.meta.url),
    });
    return ztunnel;
  }

  async function http(endpoint: HttpEndpoint, path: string, method = 'GET') {
    const response = await fetch(`http://127.0.0.1:${endpoint.addresses[0]!.port}${path}`, { method });
    return { status: response.status, text: await response.text() };
  }

  it('serves: mesh, start, certificate, names and demands reach the workers, and readiness follows', async () => {
    const app = await start();
    expect(app.ports).deep.equal({ outbound: 15001, inboundPlaintext: 15006, inbound: 15008 });
    await log.sees(/fake 0 .*"kind":"mesh".*"uid":"client"[^]*fake 0 {"kind":"start"}/);
    await log.sees(new RegExp(`fake 0 {"kind":"certificate","identity":"${spiffe}"`));
    await log.sees(/fake 0 {"kind":"resolved","id":7,"addresses":\["127\.0\.0\.1"/);
    await log.sees(/fake 0 {"kind":"demanded","key":"\/10\.0\.0\.9"}/);
    expect(log.text).match(/warn\tca\tFAKE_CA is on/);
    expect(await http(app.admin!.readiness, '/healthz/ready')).deep.equal({ status: 200, text: 'ready\n' });
  });

  it('warns, by name, of settings that have no effect', async () => {
    await start({ INPOD_PORT_REUSE: 'false', TRANSPARENT_NETWORK_POLICIES: 'true' });
    expect(log.text).match(/warn\tapp\ta setting has no effect\tsetting="INPOD_PORT_REUSE=false" reason="/);
    expect(log.text).match(/setting="TRANSPARENT_NETWORK_POLICIES=true" reason="[^"]*15008/);
  });

  it('tells operators what it holds, and takes their orders to the workers', async () => {
    const app = await start();
    await log.sees(/"kind":"certificate"/);
    const dump = JSON.parse((await http(app.admin!.admin, '/config_dump')).text) as object;
    expect(dump).nested.property('certificates[0].identity', spiffe);
    expect(dump).nested.property('workloads[0].uid', 'client');
    expect(dump).nested.property('workloadState.client.connections.outbound[0].src', '10.0.0.1:40000');
    const metrics = await http(app.admin!.stats, '/metrics');
    // Counted once by the dump's collection and once by this one's.
    expect(metrics.text).contain('istio_tcp_sockets_open{reporter="source"} 2');
    await http(app.admin!.admin, '/logging?level=access=debug', 'POST');
    await log.sees(/fake 0 {"kind":"log-levels","levels":"info,access=debug"}/);
  });

  it('follows changes of the mesh, and of the identities on this node', async () => {
    await start();
    await log.sees(/certificate obtained/);
    writeFileSync(
      meshPath,
      `workloads: [${workload('client', '10.0.0.1')}, ${workload('other', '10.0.0.2')}]`,
    );
    await log.sees(/fake 0 {"kind":"mesh",.*"uid":"other"/);
    writeFileSync(meshPath, `workloads: [${workload('other', '10.0.0.2')}]`);
    await log.sees(/fake 0 {"kind":"certificate-failed",.*last workload/);
  });

  it('replaces a worker that gave up, and tells its successor everything', async () => {
    const app = await start();
    await log.sees(/"kind":"certificate"/);
    await http(app.admin!.admin, '/logging?level=die=warn', 'POST');
    await log.sees(/data worker died: .*error="told to give up"/);
    // Without the order to die, which the successor would get as its start.
    await http(app.admin!.admin, '/logging?reset', 'POST');
    await log.sees(
      /is back[^]*fake 0 .*"kind":"mesh"[^]*fake 0 .*"kind":"certificate"[^]*fake 0 {"kind":"start"}/,
    );
    expect(log.text).match(/\tready\n[^]*not ready\tpending="proxy"[^]*\tready\n/);
  });

  it('replaces a worker that had no last word, and goes on', async () => {
    const app = await start({ ZTUNNEL_WORKER_THREADS: '2' });
    await http(app.admin!.admin, '/logging?level=die=info', 'POST');
    await log.sees(/data worker died: .*error="told to die"[^]*data worker is back/);
    expect((await http(app.admin!.admin, '/config_dump')).status).equal(200);
  });

  it('drains: not ready, workers told, and all ended in order', async () => {
    const before = takeLeakSnapshot({ pids: { self: process.pid } });
    const app = await start();
    await http(app.admin!.admin, '/quitquitquit', 'POST');
    expect(await app.ended).equal('clean');
    await log.sees(
      /draining\treason="\/quitquitquit" deadline="5000ms"[^]*drained\tconnections_cut=0[^]*ended/,
    );
    expect(app.admin).equal(undefined);
    await assertNoLeak(before, { pids: { self: process.pid } }, 2000);
  });

  it('cuts what does not end when it is asked again', async () => {
    const app = await start({ ZTUNNEL_WORKER_THREADS: '2' });
    app.shutdown('SIGTERM');
    // Worker 1 never says that it is done.
    await log.sees(/fake 1 {"kind":"drain"/);
    expect(await http(app.admin!.readiness, '/healthz/ready')).deep.equal({
      status: 500,
      text: 'not ready, pending: draining\n',
    });
    app.shutdown('SIGTERM');
    expect(await app.ended).equal('forced');
    expect(log.text).match(/fake 1 {"kind":"stop"}/);
  });

  it('leaves nothing running when the start fails', async () => {
    const failed = (env: Record<string, string>): Promise<unknown> =>
      start(env).then(
        () => undefined,
        (error: unknown) => error,
      );
    expect(await failed({ LOCAL_XDS_PATH: '/nowhere/mesh.yaml' })).property('code', 'LOCAL_XDS_UNREADABLE');
    expect(await failed({ FAKE_CA_DIR: '/dev/null/ca' })).property('code', 'fake-ca-directory');
  });
});
