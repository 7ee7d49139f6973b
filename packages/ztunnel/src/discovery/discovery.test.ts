import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { MeshUpdate } from '@ambient/mesh';
import { workloadWith } from '@ambient/mesh';
import { ManualClock } from '@ambient/runtime';
import { FakeXds } from '@ambient/testkit';
import type { DeltaClientOptions } from '@ambient/xds';
import { expect } from 'chai';
import { dedicatedSettings } from '../testing/dedicated-settings.ts';
import { recordingLink } from '../testing/links.ts';
import { recordingLog } from '../testing/log-lines.ts';
import { controlPlaneClient, controlPlaneHeaders, controlPlaneTrust } from './control-plane.ts';
import { Discovery } from './discovery.ts';
import type { LoadedSnapshot } from './snapshot/mesh-snapshot.ts';

const metrics = { message: () => {}, terminated: () => {} };
const localMesh =
  'workloads: [{uid: w1, name: client, namespace: a, workloadIps: [10.0.0.1], protocol: HBONE, node: n1}]';

async function setup(env: Record<string, string>, loaded?: Promise<LoadedSnapshot | undefined>) {
  const settings = await dedicatedSettings(env);
  const clock = new ManualClock(0);
  const { log, lines } = recordingLog('xds');
  const updates: MeshUpdate[] = [];
  const events: string[] = [];
  let handlers: Omit<DeltaClientOptions, 'transport' | 'node' | 'onDemand'> | undefined;
  const demanded: { name: string; answered: () => void; open: boolean }[] = [];
  const discovery = new Discovery({
    settings,
    onUpdate: (list) => updates.push(...list),
    onSynced: () => events.push('synced'),
    snapshot: loaded && {
      load: () => loaded,
      use: (writtenAtMs) => events.push(`use ${writtenAtMs}`),
      keep: () => events.push('keep'),
      status: () => ({ inUse: true }),
    },
    metrics,
    clock,
    log,
    connect(address, _, given) {
      handlers = given;
      return {
        start: () => events.push(`start ${address}`),
        stop: () => events.push('stop'),
        demand(name, answered) {
          const entry = { name, answered, open: true };
          demanded.push(entry);
          return {
            [Symbol.dispose]: () => {
              entry.open = false;
            },
          };
        },
        status: () => ({}) as never,
      };
    },
  });
  return { discovery, updates, events, handlers: handlers!, demanded, clock, lines };
}

describe('Discovery', () => {
  it('is in step at once with neither source, and warns', async () => {
    const { discovery, events, lines } = await setup({});
    discovery.start();
    expect(events).deep.equal(['synced']);
    expect(lines[0]).match(/^warn\txds\tneither a control plane nor a local mesh/);
  });

  it('merges the local mesh and the control plane, and waits for both', async () => {
    const { discovery, updates, events, handlers } = await setup({
      LOCAL_XDS: localMesh,
      XDS_ADDRESS: 'istiod:15012',
    });
    discovery.start();
    expect(events).deep.equal(['start https://istiod:15012']);
    handlers.onUpdate([{ kind: 'remove-address', key: 'w2' }]);
    expect(updates.map(({ kind }) => kind)).deep.equal(['workload', 'remove-address']);
    handlers.onReady!();
    expect(events.at(-1)).equal('synced');
    discovery[Symbol.dispose]();
    expect(events.at(-1)).equal('stop');
  });

  it('fails the start for a local mesh that cannot be used', async () => {
    const { discovery } = await setup({ LOCAL_XDS_PATH: '/nowhere/mesh.yaml' });
    expect(() => discovery.start()).throw(/cannot read the local mesh file/);
  });

  it('answers a demand once: when the control plane does, or after five seconds', async () => {
    const { discovery, demanded, clock, lines } = await setup({ XDS_ADDRESS: 'istiod' });
    const worker = recordingLink();
    discovery.demand(worker, '/10.0.0.1');
    discovery.demand(worker, '/10.0.0.2');
    demanded[0]!.answered();
    demanded[0]!.answered();
    expect(worker.posted).deep.equal([{ kind: 'demanded', key: '/10.0.0.1' }]);
    clock.advance(5000);
    expect(worker.posted).length(2);
    expect(lines).deep.equal([
      'warn\txds\tthe control plane did not answer a demand in time\tkey="/10.0.0.2"',
    ]);
    discovery.demand(worker, '/10.0.0.3');
    discovery.forget(worker);
    expect(demanded.map(({ open }) => open)).deep.equal([false, false, false]);
    expect([worker.posted.length, clock.pendingTimers]).deep.equal([2, 0]);
  });

  it('answers a demand at once without a control plane', async () => {
    const { discovery } = await setup({ LOCAL_XDS: localMesh });
    const worker = recordingLink();
    discovery.demand(worker, '/10.0.0.9');
    expect(worker.posted).deep.equal([{ kind: 'demanded', key: '/10.0.0.9' }]);
  });
});

describe('Discovery with a snapshot', () => {
  const env = { XDS_ADDRESS: 'http://127.0.0.1:1' };
  const workload = (uid: string): MeshUpdate => ({ kind: 'workload', workload: workloadWith({ uid }) });
  const snapshot = (...uids: string[]): LoadedSnapshot => ({
    writtenAtMs: -60_000,
    parts: uids.map((uid) => [workload(uid)]),
    certificates: new Map(),
  });
  const turns = async (): Promise<void> => {
    for (let i = 0; i < 10; i++) await new Promise(setImmediate);
  };

  it('waits three seconds for the control plane, then goes by the snapshot', async () => {
    const { discovery, updates, events, clock, lines } = await setup(
      env,
      Promise.resolve(snapshot('w1', 'w2')),
    );
    discovery.start();
    clock.advance(2999);
    await turns();
    expect([updates, events]).deep.equal([[], ['start http://127.0.0.1:1']]);
    clock.advance(1);
    await turns();
    expect(updates).deep.equal([workload('w1'), workload('w2')]);
    expect(events.slice(1)).deep.equal(['use -60000', 'synced']);
    expect(lines.at(-1)).match(/^warn.*the mesh is as the snapshot on this node says.*age="63s"/);
    expect(discovery.status()).deep.nested.include({ snapshot: { inUse: true } });
    discovery[Symbol.dispose]();
  });

  it('gives way to the control plane: its word counts, and what it does not name is removed', async () => {
    const { discovery, updates, events, handlers, clock } = await setup(
      env,
      Promise.resolve(snapshot('w1', 'w2', 'w3')),
    );
    discovery.start();
    handlers.onUpdate([workload('w2'), { kind: 'remove-address', key: 'w3' }]);
    updates.length = 0;
    clock.advance(3000);
    await turns();
    expect(updates).deep.equal([workload('w1')]);
    handlers.onReady!();
    expect(updates.slice(1)).deep.equal([{ kind: 'remove-address', key: 'w1' }]);
    expect(events.slice(1)).deep.equal(['use -60000', 'synced', 'keep']);
  });

  it('has no use for it when the control plane answers in time', async () => {
    const { discovery, updates, events, handlers, clock } = await setup(env, Promise.resolve(snapshot('w1')));
    discovery.start();
    handlers.onReady!();
    clock.advance(60_000);
    await turns();
    expect([updates, events.slice(1), clock.pendingTimers]).deep.equal([[], ['synced', 'keep'], 0]);
  });

  it('leaves it aside when the control plane answers while it is read', async () => {
    const reading = Promise.withResolvers<LoadedSnapshot>();
    const { discovery, updates, handlers, clock } = await setup(env, reading.promise);
    discovery.start();
    clock.advance(3000);
    handlers.onReady!();
    reading.resolve(snapshot('w1'));
    await turns();
    expect(updates).deep.equal([]);
  });

  it('waits on when there is none', async () => {
    const { discovery, events, handlers, clock } = await setup(env, Promise.resolve(undefined));
    discovery.start();
    clock.advance(60_000);
    await turns();
    expect(events).length(1);
    handlers.onReady!();
    expect(events.slice(1)).deep.equal(['synced', 'keep']);
  });
});

describe('the client of the control plane', () => {
  it('introduces this proxy as the settings describe it', async () => {
    await using server = await FakeXds.start();
    const settings = await dedicatedSettings({
      XDS_ADDRESS: server.address,
      AUTH_TOKEN: 'secret',
      CLUSTER_ID: 'c1',
      XDS_HEADER_X_TEST: 'yes',
      POD_NAME: 'zt-1',
      POD_NAMESPACE: 'istio-system',
      INSTANCE_IP: '10.9.9.9',
      ISTIO_META_FOO: 'bar',
      ISTIO_METAJSON_LIST: '[1]',
    });
    const ready = Promise.withResolvers<void>();
    const client = controlPlaneClient(settings.xds.address!, settings, {
      onUpdate: () => {},
      onReady: ready.resolve,
      log: recordingLog().log,
    });
    client.start();
    await ready.promise;
    client.stop();
    const { request, headers } = server.requests[0]!;
    expect(request.node!.id).equal('ztunnel~10.9.9.9~zt-1.istio-system~istio-system.svc.cluster.local');
    const fields = request.node!.metadata!.fields!;
    expect([fields['NODE_NAME']?.stringValue, fields['FOO']?.stringValue]).deep.equal(['n1', 'bar']);
    expect(fields['LIST']?.listValue?.values?.[0]?.numberValue).equal(1);
    expect(headers.get('authorization')).deep.equal(['Bearer secret']);
    expect(headers.get('clusterid')).deep.equal(['c1']);
    expect(headers.get('x_test')).deep.equal(['yes']);
  });

  it('reads the token file for every stream, and says so if it cannot', async () => {
    const directory = mkdtempSync(join(tmpdir(), 'token-'));
    const path = join(directory, 'token');
    const settings = { ...(await dedicatedSettings()), token: { kind: 'file', path } as const };
    writeFileSync(path, 'one\n');
    expect(controlPlaneHeaders(settings)['authorization']).equal('Bearer one');
    writeFileSync(path, 'two\n');
    expect(controlPlaneHeaders(settings)['authorization']).equal('Bearer two');
    rmSync(directory, { recursive: true });
    expect(() => controlPlaneHeaders(settings)).throw(/ENOENT/);
  });

  it('is recognized by the root and either name, and spoken to by the rules of the mesh', async () => {
    const env = { XDS_ROOT_CA: '/root.pem', ALT_XDS_HOSTNAME: 'other', TLS12_ENABLED: 'true' };
    expect(controlPlaneTrust(await dedicatedSettings(env))).deep.equal({
      rootCa: '/root.pem',
      altHostname: 'other',
      tls12: true,
      postQuantumOnly: false,
    });
    const strict = controlPlaneTrust(await dedicatedSettings({ COMPLIANCE_POLICY: 'pqc' }));
    expect(strict).include({ tls12: false, postQuantumOnly: true });
  });

  it('hands a workload on from the wire', async () => {
    await using server = await FakeXds.start();
    server.setMesh({ workloads: [workloadWith({ uid: 'w1', name: 'client' })] });
    const settings = await dedicatedSettings({ XDS_ADDRESS: server.address });
    const first = Promise.withResolvers<readonly MeshUpdate[]>();
    const client = controlPlaneClient(settings.xds.address!, settings, {
      onUpdate: first.resolve,
      log: recordingLog().log,
    });
    client.start();
    expect((await first.promise)[0]).nested.property('workload.uid', 'w1');
    client.stop();
  });
});
