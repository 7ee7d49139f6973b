import { chmodSync, existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { workloadWith } from '@ambient/mesh';
import { LogLevels, LogOutput, ManualClock } from '@ambient/runtime';
import { FakeXds } from '@ambient/testkit';
import { expect } from 'chai';
import { startZtunnel } from './app.ts';
import type { Ztunnel } from './app.ts';
import { dedicatedSettings } from './testing/dedicated-settings.ts';
import { ScriptedAgent } from './testing/scripted-agent.ts';

const workload = (uid: string) =>
  workloadWith({
    uid,
    name: uid,
    namespace: 'a',
    serviceAccount: 'web',
    node: 'n1',
    tunnelProtocol: 'HBONE',
  });

describe('the app starts without its control plane', () => {
  let directory: string;
  let clock: ManualClock;
  let agent: ScriptedAgent;
  let xds: FakeXds;
  let port: number;
  let ztunnel: Ztunnel | undefined;
  let log: string;
  let onLog: () => void;

  beforeEach(async () => {
    directory = mkdtempSync(join(tmpdir(), 'ztunnel-cold-'));
    clock = new ManualClock();
    agent = new ScriptedAgent(join(directory, 'zds.sock'));
    xds = await FakeXds.start();
    port = xds.port;
    xds.setMesh({ workloads: [workload('w1'), workload('w2')] });
    ztunnel = undefined;
  });

  afterEach(async () => {
    await stop();
    await agent.close();
    await xds[Symbol.asyncDispose]();
    rmSync(directory, { recursive: true });
  });

  async function start(env: Record<string, string> = {}): Promise<Ztunnel> {
    log = '';
    onLog = () => undefined;
    const write = (lines: string): void => {
      log += lines;
      onLog();
    };
    ztunnel = await startZtunnel({
      settings: await dedicatedSettings({
        PROXY_MODE: 'shared',
        INPOD_UDS: join(directory, 'zds.sock'),
        XDS_ADDRESS: `http://127.0.0.1:${port}`,
        FAKE_CA_DIR: join(directory, 'ca'),
        ZTUNNEL_WORKER_THREADS: '1',
        IPV6_ENABLED: 'false',
        AMBIENT_SNAPSHOT_PATH: join(directory, 'mesh', 'snapshot'),
        ...env,
      }),
      logLevels: new LogLevels('info,snapshot=debug', 'ztunnel'),
      logOutput: new LogOutput('plain', { write, flushSync: () => undefined, end: () => undefined }),
      clock,
      workerEntry: new URL('./testing/fake-worker.ts', import.meta.url),
    });
    return ztunnel;
  }

  async function stop(): Promise<void> {
    ztunnel?.shutdown('test');
    ztunnel?.shutdown('test');
    await ztunnel?.ended;
    ztunnel = undefined;
  }

  function sees(pattern: RegExp): Promise<void> {
    return new Promise((resolve) => {
      onLog = () => {
        if (pattern.test(log)) resolve();
      };
      onLog();
    });
  }

  async function metric(name: string): Promise<string | undefined> {
    const url = `http://127.0.0.1:${ztunnel!.admin!.stats.addresses[0]!.port}/metrics`;
    const text = await (await fetch(url)).text();
    return new RegExp(`^${name} (.*)$`, 'm').exec(text)?.[1];
  }

  /** Runs once with a control plane, long enough to leave a snapshot. */
  async function leaveSnapshot(): Promise<void> {
    await Promise.all([start(), agent.accept()]);
    await sees(/first synchronization complete[^]*certificate obtained/);
    clock.advance(10_000);
    await sees(/snapshot of the mesh written/);
    await stop();
    await xds[Symbol.asyncDispose]();
  }

  it('with the mesh that it had, dials its agent, and gives way when the control plane is back', async () => {
    await leaveSnapshot();
    await start();
    await sees(/discovery stream failed/);
    const dialled = agent.accept();
    clock.advance(3000);
    await sees(/warn\txds\tthe control plane does not answer.*age="3s"[^]*fake 0 {"kind":"start"}/);
    expect(log).match(/fake 0 {"kind":"mesh".*"uid":"w1".*"uid":"w2"/);
    const link = await dialled;
    expect(await link.add('u1', 0)).equal('ok');
    expect(await link.snapshotSent()).equal('ok');
    expect(await metric('ambient_mesh_snapshot_in_use')).equal('1');

    xds = await FakeXds.start({ port });
    xds.setMesh({ workloads: [workload('w2'), workload('w3')] });
    clock.advance(15_000);
    await sees(/what only the snapshot had is removed\tremoved=1/);
    await sees(/fake 0 {"kind":"mesh".*{"kind":"remove-address","key":"w1"}/);
    expect(await metric('ambient_mesh_snapshot_in_use')).equal('0');
  });

  it('waits for it if the snapshot is of another node, and says so', async () => {
    await leaveSnapshot();
    await start({ NODE_NAME: 'n2' });
    clock.advance(3000);
    await sees(/snapshot of the mesh is not used.*nodeName.*n1/);
    expect(log).not.match(/"kind":"start"/);
  });

  it('waits for it if the key could have been read by others, and says so', async () => {
    await leaveSnapshot();
    chmodSync(join(directory, 'mesh', 'snapshot.key'), 0o644);
    await start();
    clock.advance(3000);
    await sees(/snapshot of the mesh is not used.*can be read by others/);
    expect(log).not.match(/"kind":"start"/);
  });

  it('and keeps nothing unless it is told to', async () => {
    await start({ AMBIENT_SNAPSHOT_PATH: '' });
    await sees(/first synchronization complete/);
    clock.advance(60_000);
    expect(existsSync(join(directory, 'mesh'))).equal(false);
  });
});
