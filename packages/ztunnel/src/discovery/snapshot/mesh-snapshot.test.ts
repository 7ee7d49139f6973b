import { WorkloadCertificate } from '@ambient/identity';
import { MeshStore, workloadWith } from '@ambient/mesh';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { recordingLog } from '../../testing/log-lines.ts';
import { SnapshotError } from './errors.ts';
import { MeshSnapshot } from './mesh-snapshot.ts';
import type { SnapshotRecord } from './records.ts';
import type { SnapshotHeader } from './sealed-format.ts';

const second = 1000;

function setup() {
  const clock = new ManualClock(1_000_000);
  const { log, lines } = recordingLog('snapshot');
  const header: SnapshotHeader = {
    writtenAtMs: 400_000,
    nodeName: 'n1',
    clusterId: 'c',
    network: '',
    trustDomain: 'cluster.local',
  };
  const state = {
    writes: 0,
    reads: 0,
    fail: undefined as Error | undefined,
    current: true,
    inUse: 0,
    results: [] as string[],
    records: [] as SnapshotRecord[],
  };
  const snapshot = new MeshSnapshot({
    file: {
      read(take) {
        state.reads++;
        if (state.fail !== undefined) return Promise.reject(state.fail);
        if (state.records.length === 0) return Promise.resolve(undefined);
        take(state.records);
        return Promise.resolve(header);
      },
      write(records) {
        for (const _ of records);
        if (state.fail !== undefined) return Promise.reject(state.fail);
        state.writes++;
        return Promise.resolve();
      },
    },
    source: () => ({ store: new MeshStore(), certificates: () => [] }),
    current: () => state.current,
    metrics: {
      inUse: (delta) => (state.inUse += delta),
      written: (result) => state.results.push(result),
    },
    clock,
    log,
  });
  /** Time passes, and what it starts comes to its end. */
  const pass = async (ms: number): Promise<void> => {
    clock.advance(ms);
    await new Promise(setImmediate);
  };
  return { snapshot, clock, lines, state, pass };
}

function certificate(serviceAccount: string, notAfterMs: number): SnapshotRecord {
  return {
    kind: 'certificate',
    certificate: new WorkloadCertificate({
      identity: { trustDomain: 'cluster.local', namespace: 'a', serviceAccount },
      certificateChainPem: [],
      privateKeyPem: '',
      rootsPem: [],
      serialNumber: '1',
      notBeforeMs: 0,
      notAfterMs,
    }),
  };
}

describe('MeshSnapshot', () => {
  it("writes nothing before the mesh is the control plane's", async () => {
    const { snapshot, state, pass, clock } = setup();
    snapshot.use(400_000);
    snapshot.changed();
    await pass(3600 * second);
    expect([state.writes, clock.pendingTimers]).deep.equal([0, 0]);
  });

  it('writes ten seconds after the first change, at most once a minute', async () => {
    const { snapshot, state, pass } = setup();
    snapshot.keep();
    await pass(10 * second - 1);
    expect(state.writes).equal(0);
    await pass(1);
    expect(state.writes).equal(1);
    for (let i = 0; i < 59; i++) {
      snapshot.changed();
      await pass(second);
    }
    expect(state.writes).equal(1);
    await pass(second);
    expect(state.writes).equal(2);
    await pass(600 * second);
    expect(state.writes).equal(2);
    await snapshot[Symbol.asyncDispose]();
  });

  it('writes an unchanged mesh anew every hour, but only while the control plane confirms it', async () => {
    const { snapshot, state, pass } = setup();
    snapshot.keep();
    await pass(10 * second);
    await pass(3590 * second);
    await pass(10 * second);
    expect(state.writes).equal(2);
    state.current = false;
    await pass(7200 * second);
    expect(state.writes).equal(2);
    await snapshot[Symbol.asyncDispose]();
  });

  it('says that it cannot write, and tries again', async () => {
    const { snapshot, state, pass, lines } = setup();
    state.fail = new SnapshotError('SNAPSHOT_UNWRITABLE', 'disk full');
    snapshot.keep();
    await pass(10 * second);
    expect(lines.at(-1)).match(/cannot be written.*disk full.*free space/);
    expect(snapshot.status(), 'nothing was written').deep.equal({ inUse: false });
    state.fail = undefined;
    await pass(60 * second);
    expect([state.writes, state.results]).deep.equal([1, ['failure', 'success']]);
    expect(snapshot.status()).deep.equal({ inUse: false, lastWritten: '1970-01-01T00:17:50.000Z' });
    await snapshot[Symbol.asyncDispose]();
  });

  it('reads once, and leaves out certificates that have ended', async () => {
    const { snapshot, state } = setup();
    state.records = [
      { kind: 'mesh', update: { kind: 'workload', workload: workloadWith({ uid: 'w1' }) } },
      certificate('old', 999_999),
      certificate('good', 1_000_001),
    ];
    const [loaded, again] = await Promise.all([snapshot.load(), snapshot.load()]);
    expect(loaded).equal(again);
    expect([state.reads, loaded?.writtenAtMs, loaded?.parts.flat().length]).deep.equal([1, 400_000, 1]);
    expect([...loaded!.certificates.keys()]).deep.equal(['spiffe://cluster.local/ns/a/sa/good']);
    snapshot.keep();
    const kept = await snapshot.load();
    expect([kept?.parts, kept?.certificates.size, state.reads]).deep.equal([[], 1, 1]);
    await snapshot[Symbol.asyncDispose]();
  });

  it('says why there is none, and that it waits', async () => {
    const none = setup();
    expect(await none.snapshot.load()).equal(undefined);
    expect(none.lines.at(-1)).match(/^info.*there is no snapshot.*waiting for the control plane/);
    const bad = setup();
    bad.state.fail = new SnapshotError('SNAPSHOT_OLD', 'the snapshot is 90000 s old');
    expect(await bad.snapshot.load()).equal(undefined);
    expect(bad.lines.at(-1)).match(/^warn.*not used.*90000 s old/);
  });

  it('counts that it is in use until the control plane has spoken', async () => {
    const { snapshot, state } = setup();
    snapshot.use(400_000);
    expect([state.inUse, snapshot.status()]).deep.equal([1, { inUse: true, of: '1970-01-01T00:06:40.000Z' }]);
    snapshot.keep();
    expect([state.inUse, snapshot.status()]).deep.equal([0, { inUse: false }]);
    await snapshot[Symbol.asyncDispose]();
  });
});
