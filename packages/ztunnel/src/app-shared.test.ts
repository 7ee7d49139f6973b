import { closeSync, mkdtempSync, openSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { LogLevels, LogOutput } from '@ambient/runtime';
import { expect } from 'chai';
import { startZtunnel } from './app.ts';
import type { Ztunnel } from './app.ts';
import { dedicatedSettings } from './testing/dedicated-settings.ts';
import { ScriptedAgent } from './testing/scripted-agent.ts';

describe('the app in shared mode with workers that carry nothing', () => {
  let directory: string;
  let agent: ScriptedAgent;
  let netns: number;
  let ztunnel: Ztunnel | undefined;
  let log: string;
  let onLog: () => void;

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'ztunnel-shared-'));
    writeFileSync(join(directory, 'mesh.yaml'), 'workloads: []');
    agent = new ScriptedAgent(join(directory, 'zds.sock'));
    netns = openSync('/proc/self/ns/net', 'r');
    log = '';
    onLog = () => undefined;
  });

  afterEach(async () => {
    ztunnel?.shutdown('test');
    ztunnel?.shutdown('test');
    await ztunnel?.ended.catch(() => undefined);
    await agent.close();
    closeSync(netns);
    rmSync(directory, { recursive: true });
  });

  async function start(env: Record<string, string> = {}): Promise<Ztunnel> {
    const write = (lines: string): void => {
      log += lines;
      onLog();
    };
    ztunnel = await startZtunnel({
      settings: await dedicatedSettings({
        PROXY_MODE: 'shared',
        INPOD_UDS: join(directory, 'zds.sock'),
        LOCAL_XDS_PATH: join(directory, 'mesh.yaml'),
        FAKE_CA_DIR: join(directory, 'ca'),
        ZTUNNEL_WORKER_THREADS: '2',
        IPV6_ENABLED: 'false',
        ...env,
      }),
      logLevels: new LogLevels('info', 'ztunnel'),
      logOutput: new LogOutput('plain', { write, flushSync: () => undefined, end: () => undefined }),
      workerEntry: new URL('./testing/fake-worker.ts', import.meta.url),
    });
    return ztunnel;
  }

  function sees(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      onLog = () => {
        if (pattern.test(log)) resolve();
      };
      onLog();
    });
  }

  async function get(port: number, path: string, method = 'GET'): Promise<string> {
    return (await fetch(`http://127.0.0.1:${port}${path}`, { method })).text();
  }

  it('serves the pods that the agent names, on every worker, and shows them', async () => {
    const [app, link] = await Promise.all([start(), agent.accept()]);
    const readiness = app.admin!.readiness.addresses[0]!.port;
    expect(await get(readiness, '/healthz/ready')).equal('not ready, pending: workload proxy manager\n');
    expect(await link.add('u1', netns, 'web')).equal('ok');
    expect(log)
      .match(/fake 0 .*"add-pod".*"uid":"u1","name":{"namespace":"a","name":"web","serviceAccount":"web"}/)
      .and.match(/fake 1 .*"add-pod".*"trustDomain":"cluster.local"/);
    await link.snapshotSent();
    expect(await get(readiness, '/healthz/ready')).equal('ready\n');
    const dump = JSON.parse(await get(app.admin!.admin.addresses[0]!.port, '/config_dump')) as object;
    expect(dump).nested.property('workloadState.u1.state', 'Up');
    expect(await get(app.admin!.stats.addresses[0]!.port, '/metrics')).contain(
      'workload_manager_active_proxy_count 1',
    );
    link.close();
    await sees(/not ready\tpending="workload proxy manager"/);
  });

  it('tells a worker that takes the place of a dead one about all pods', async () => {
    const [app, link] = await Promise.all([start(), agent.accept()]);
    const admin = app.admin!.admin.addresses[0]!.port;
    await link.add('u1', netns);
    await link.snapshotSent();
    log = '';
    await get(admin, '/logging?level=die=warn', 'POST');
    await get(admin, '/logging?reset', 'POST');
    await sees(/data worker is back[^]*fake 0 .*"kind":"add-pod"/);
    expect(await link.del('u1')).equal('ok');
    for (const index of [0, 1])
      await sees(new RegExp(`fake ${index} {"kind":"remove-pod","id":1,"deadlineMs":5000}`));
  });

  it('leaves the agent when it is told to end, before its connections have ended', async () => {
    const [app, link] = await Promise.all([start(), agent.accept()]);
    await link.add('u1', netns);
    await link.snapshotSent();
    app.shutdown('SIGTERM');
    // Worker 1 never says that it is done.
    expect(await link.receive()).equal('end');
    expect(log).not.match(/remove-pod/);
    app.shutdown('SIGTERM');
    expect(await app.ended).equal('forced');
  });

  it('ends at once, with a failure, when the agent breaks the protocol', async () => {
    const [app, link] = await Promise.all([start(), agent.accept()]);
    await link.add('u1', netns);
    await link.snapshotSent();
    await link.snapshotSent();
    const error = await app.ended.catch((reason: unknown) => reason);
    expect(error).property('code', 'ZDS_SECOND_SNAPSHOT');
  });

  it('does not dial the agent before the mesh is known', async () => {
    const app = await start({ XDS_ADDRESS: 'http://127.0.0.1:1' });
    const readiness = app.admin!.readiness.addresses[0]!.port;
    expect(await get(readiness, '/healthz/ready')).equal(
      'not ready, pending: state manager, workload proxy manager\n',
    );
    expect(log)
      .match(/discovery stream failed/)
      .and.not.match(/node agent/);
  });
});
