import { generateKeyPair, privateKeyPem, WorkloadCertificate } from '@ambient/identity';
import { MeshStore, policyWith, serviceWith, workloadWith } from '@ambient/mesh';
import type { MeshUpdate } from '@ambient/mesh';
import { dumpWorkload } from '@ambient/xds';
import { expect } from 'chai';
import {
  chmodSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { snapshotRecords } from './records.ts';
import type { SnapshotRecord } from './records.ts';
import { readSnapshotHeader } from './sealed-format.ts';
import { SnapshotFile } from './snapshot-file.ts';
import type { SnapshotFileOptions } from './snapshot-file.ts';

const hour = 3_600_000;
const owner = { nodeName: 'n1', clusterId: 'Kubernetes', network: '', trustDomain: 'cluster.local' };

describe('SnapshotFile', () => {
  let directory: string;
  let path: string;
  let nowMs: number;
  let store: MeshStore;
  let certificate: WorkloadCertificate;

  before(() => {
    certificate = new WorkloadCertificate({
      identity: { trustDomain: 'cluster.local', namespace: 'a', serviceAccount: 'web' },
      certificateChainPem: ['leaf', 'intermediate'],
      privateKeyPem: privateKeyPem(generateKeyPair()),
      rootsPem: ['root'],
      serialNumber: '0a',
      notBeforeMs: 0,
      notAfterMs: 2 * hour,
    });
  });

  beforeEach(() => {
    directory = mkdtempSync(join(tmpdir(), 'snapshot-'));
    path = join(directory, 'mesh', 'snapshot');
    nowMs = hour;
    store = new MeshStore();
    store.apply(mesh());
  });

  afterEach(() => rmSync(directory, { recursive: true }));

  function mesh(): MeshUpdate[] {
    return [
      { kind: 'policy', key: 'a/named-otherwise', policy: policyWith({ namespace: 'a', name: 'deny' }) },
      { kind: 'service', service: serviceWith({ namespace: 'a', hostname: 'web.a.svc.cluster.local' }) },
      { kind: 'workload', workload: workloadWith({ uid: 'w1', name: 'web', namespace: 'a', node: 'n1' }) },
    ];
  }

  function file(over: Partial<SnapshotFileOptions> = {}): SnapshotFile {
    return new SnapshotFile({
      path,
      keyPath: `${path}.key`,
      maxAgeMs: 24 * hour,
      owner,
      nowMs: () => nowMs,
      ...over,
    });
  }

  const write = (): Promise<void> => file().write(snapshotRecords(store, [certificate]));

  async function read(from = file()): Promise<SnapshotRecord[]> {
    const all: SnapshotRecord[] = [];
    expect(await from.read((records) => all.push(...records))).deep.include(owner);
    return all;
  }

  async function refusal(from = file()): Promise<unknown> {
    let taken = 0;
    const error: unknown = await from
      .read(() => taken++)
      .then(
        () => undefined,
        (reason: unknown) => reason,
      );
    expect(taken).equal(0);
    return (error as { code?: string } | undefined)?.code;
  }

  it('gives back what was written: policies first, by their keys, and certificates with their keys', async () => {
    await write();
    const records = await read();
    const updates = records.flatMap((record) => (record.kind === 'mesh' ? [record.update] : []));
    const copy = new MeshStore();
    copy.apply(updates);
    expect(updates.map(({ kind }) => kind)).deep.equal(['policy', 'service', 'workload']);
    expect([...copy.allPolicies()]).deep.equal([...store.allPolicies()]);
    expect([...copy.allWorkloads()].map(dumpWorkload)).deep.equal(
      [...store.allWorkloads()].map(dumpWorkload),
    );
    expect(copy.workload('w1')).include({ namespace: 'a', node: 'n1', trustDomain: 'cluster.local' });
    expect(copy.service('a/web.a.svc.cluster.local')?.service).deep.equal(
      store.service('a/web.a.svc.cluster.local')?.service,
    );
    const last = records.at(-1)!;
    expect(last.kind === 'certificate' && last.certificate.toMessage()).deep.equal(certificate.toMessage());
  });

  it('says that there is none', async () => {
    expect(await file().read(() => expect.fail('nothing to take'))).equal(undefined);
  });

  it('hides the mesh and the keys, and lets nobody else read them', async () => {
    await write();
    const bytes = readFileSync(path).toString('latin1');
    for (const secret of ['web', 'PRIVATE', 'deny', 'leaf']) expect(bytes).not.contain(secret);
    for (const name of [path, `${path}.key`]) expect(statSync(name).mode & 0o777).equal(0o600);
    expect(readFileSync(`${path}.key`)).length(32);
  });

  it('refuses every file in which a single byte has changed, or is missing', async () => {
    await write();
    const good = readFileSync(path);
    for (let at = 0; at < good.length; at += 7) {
      const bad = Buffer.from(good);
      bad[at]! ^= 1;
      writeFileSync(path, bad);
      expect(await refusal(), `byte ${at}`).to.be.oneOf([
        'SNAPSHOT_DAMAGED',
        'SNAPSHOT_FOREIGN',
        'SNAPSHOT_OLD',
      ]);
    }
    for (const length of [0, 7, 12, 40, good.length - 17, good.length - 1]) {
      writeFileSync(path, good.subarray(0, length));
      expect(await refusal(), `${length} bytes`).equal('SNAPSHOT_DAMAGED');
    }
    writeFileSync(path, good);
    expect(await read()).length(4);
  });

  it('refuses a header that is no object, or has no times', async () => {
    const sized = (text: string): Buffer => {
      const head = Buffer.alloc(12 + text.length + 64);
      head.write('AMBSNAP1');
      head.writeUInt32BE(text.length, 8);
      head.write(text, 12);
      return head;
    };
    for (const text of ['null', '7', '{', '']) {
      writeAlone(sized(text));
      expect(await refusal(), text).equal('SNAPSHOT_DAMAGED');
    }
    writeAlone(sized(JSON.stringify({ ...owner, writtenAtMs: 'soon' })));
    expect(await refusal()).equal('SNAPSHOT_OLD');
    const huge = sized('{}');
    huge.writeUInt32BE(0xffff_ffff, 8);
    writeAlone(huge);
    expect(await refusal()).equal('SNAPSHOT_DAMAGED');
  });

  function writeAlone(bytes: Buffer): void {
    path = join(directory, 'snapshot');
    writeFileSync(path, bytes);
  }

  it('refuses what another node, cluster, network or trust domain has left', async () => {
    await write();
    for (const field of Object.keys(owner))
      expect(await refusal(file({ owner: { ...owner, [field]: 'other' } })), field).equal('SNAPSHOT_FOREIGN');
  });

  it('refuses one that is too old, or from the future', async () => {
    await write();
    expect(readSnapshotHeader(readFileSync(path)).header.writtenAtMs).equal(nowMs);
    nowMs += 24 * hour;
    expect(await read()).length(4);
    nowMs += 1;
    expect(await refusal()).equal('SNAPSHOT_OLD');
    nowMs = hour - 300_001;
    expect(await refusal()).equal('SNAPSHOT_OLD');
  });

  it('refuses the key of another node, one that others can read, and one of a wrong length', async () => {
    await write();
    const key = readFileSync(`${path}.key`);
    writeFileSync(`${path}.key`, Buffer.alloc(32, 1));
    expect(await refusal()).equal('SNAPSHOT_DAMAGED');
    writeFileSync(`${path}.key`, key.subarray(1));
    expect(await refusal()).equal('SNAPSHOT_KEY');
    writeFileSync(`${path}.key`, key);
    chmodSync(`${path}.key`, 0o640);
    expect(await refusal()).equal('SNAPSHOT_KEY');
    chmodSync(`${path}.key`, 0o600);
    expect(await read()).length(4);
  });

  it('is whole whoever writes at the same time, and leaves nothing else behind', async () => {
    for (let round = 0; round < 10; round++) await Promise.all(Array.from({ length: 8 }, write));
    expect(await read()).length(4);
    expect(readdirSync(join(directory, 'mesh')).sort()).deep.equal(['snapshot', 'snapshot.key']);
  });

  it('removes what a killed process has left, once that is old', async () => {
    await write();
    nowMs = Date.now();
    for (const name of ['old', 'new']) writeFileSync(`${path}.${name}.tmp`, '');
    utimesSync(`${path}.old.tmp`, 1, 1);
    await write();
    expect(readdirSync(join(directory, 'mesh')).sort()).deep.equal([
      'snapshot',
      'snapshot.key',
      'snapshot.new.tmp',
    ]);
  });

  it('keeps the old one if the new one cannot be written', async () => {
    await write();
    const broken = (function* (): Generator<Buffer> {
      yield Buffer.from([1]);
      throw new Error('no more');
    })();
    const error: unknown = await file()
      .write(broken)
      .catch((reason: unknown) => reason);
    expect(error).property('code', 'SNAPSHOT_UNWRITABLE');
    expect(await read()).length(4);
  });

  it('carries a large mesh in parts', async () => {
    store.apply(
      Array.from({ length: 2000 }, (_, index) => ({
        kind: 'workload' as const,
        workload: workloadWith({
          uid: `u${index}`,
          name: `p${index}`,
          addresses: [`10.1.${index >> 8}.${index & 255}`],
        }),
      })),
    );
    await write();
    const sizes: number[] = [];
    await file().read((records) => sizes.push(records.length));
    expect([Math.max(...sizes), sizes.reduce((sum, size) => sum + size)]).deep.equal([250, 2004]);
  });
});
