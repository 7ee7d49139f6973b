import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { AuthorityKeeper, caSecretNames, rotateAnnotation } from './authority-keeper.ts';
import {
  cacerts,
  dayMs,
  FakeMetrics,
  FakeSecrets,
  recordingLogger,
  startMs,
  testCa,
} from './ca.test-data.ts';
import type { TestCa } from './ca.test-data.ts';
import { CaMaterialError } from './ca-material-error.ts';
import { selfSignedFiles } from './ca-files.ts';
import { makeSelfSignedRoot } from './self-signed-root.ts';

const overlapMs = 2 * dayMs;

describe('authority keeper', () => {
  let secrets: FakeSecrets;
  let clock: ManualClock;
  let metrics: FakeMetrics;
  let lines: string[];
  let logger: ReturnType<typeof recordingLogger>['logger'];
  const opened: AuthorityKeeper[] = [];

  beforeEach(() => {
    secrets = new FakeSecrets();
    clock = new ManualClock(startMs);
    metrics = new FakeMetrics();
    ({ lines, logger } = recordingLogger());
  });
  afterEach(() => {
    for (const keeper of opened.splice(0)) keeper[Symbol.dispose]();
    expect(clock.pendingTimers).to.equal(0);
    expect(lines.join('\n')).to.not.include('PRIVATE');
  });

  function keeper(folder?: string): AuthorityKeeper {
    const selfSigned = { keyType: 'ec', trustDomain: 'cluster.local' } as const;
    const made = new AuthorityKeeper({ secrets, folder, selfSigned, overlapMs, clock, logger, metrics });
    opened.push(made);
    return made;
  }

  async function leading(folder?: string): Promise<AuthorityKeeper> {
    const made = keeper(folder);
    await made.start();
    await made.lead();
    return made;
  }

  async function failure(promise: Promise<unknown>): Promise<CaMaterialError> {
    const outcome = await promise.then(
      () => 'was accepted',
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(CaMaterialError);
    return outcome as CaMaterialError;
  }

  it('makes one root, whoever of many comes first, in the form that Istio reads', async () => {
    const all = Array.from({ length: 5 }, () => keeper());
    await Promise.all(all.map((it) => it.start()));
    expect(new Set(all.map((it) => it.state.signing.id)).size).to.equal(1);
    const secret = secrets.stored.get(caSecretNames.selfSigned)!;
    expect(secret.type).to.equal('istio.io/ca-root');
    expect(Object.keys(secret.files).sort()).to.deep.equal([
      'ca-cert.pem',
      'ca-key.pem',
      'cert-chain.pem',
      'key.pem',
      'root-cert.pem',
    ]);
  });

  it('takes a root that Istio made, RSA and all', async () => {
    const root = await makeSelfSignedRoot({ keyType: 'rsa', trustDomain: 'x' }, startMs);
    secrets.put(caSecretNames.selfSigned, { 'ca-cert.pem': root.certificatePem, 'ca-key.pem': root.keyPem });
    const it = keeper();
    await it.start();
    expect(it.state.signing.id).to.equal(root.id);
  });

  it('starts with nothing else than what is plugged in', async () => {
    const root = await testCa('corporate');
    const issuing = await testCa('issuing', { parent: root });
    secrets.put(caSecretNames.pluggedIn, cacerts(issuing, root.certificate));
    const it = await leading();
    expect(it.state.signing.certificatePem).to.equal(issuing.certificate);
    expect(secrets.stored.has(caSecretNames.selfSigned)).to.be.false;
  });

  it('prefers a mounted folder, and reads it again', async () => {
    const folder = await mkdtemp(join(tmpdir(), 'cacerts-'));
    try {
      const root = await testCa('corporate');
      const write = async (ca: TestCa): Promise<void> => {
        for (const [name, text] of Object.entries(cacerts(ca, root.certificate)))
          await writeFile(join(folder, name), text);
      };
      const first = await testCa('first', { parent: root });
      await write(first);
      const it = await leading(folder);
      expect(it.state.signing.certificatePem).to.equal(first.certificate);
      const second = await testCa('second', { parent: root });
      await write(second);
      await it.refresh();
      expect(it.state.signing.certificatePem, 'same root: at once').to.equal(second.certificate);
    } finally {
      await rm(folder, { recursive: true });
    }
  });

  it('does not start with an incomplete cacerts, also where it has signed before', async () => {
    const root = await testCa('corporate');
    const { 'ca-key.pem': _, ...incomplete } = cacerts(await testCa('i', { parent: root }), root.certificate);
    secrets.put(caSecretNames.pluggedIn, incomplete);
    expect(await failure(keeper().start())).to.have.property('code', 'incomplete');
    secrets.stored.delete(caSecretNames.pluggedIn);
    await leading();
    secrets.put(caSecretNames.pluggedIn, incomplete);
    expect(await failure(keeper().start())).to.have.property('code', 'incomplete');
  });

  it('does not start with an expired CA, or one of the future', async () => {
    const root = await testCa('old', { notAfterMs: startMs - 1000 });
    secrets.put(caSecretNames.pluggedIn, cacerts(root, root.certificate));
    expect((await failure(keeper().start())).message).to.include('clock');
  });

  it('goes on with the last good material when the Secret is edited by hand, and says so once', async () => {
    const it = await leading();
    const { id } = it.state.signing;
    const { files } = secrets.stored.get(caSecretNames.selfSigned)!;
    secrets.put(caSecretNames.selfSigned, { ...files, 'ca-key.pem': 'oops' });
    await it.refresh();
    await it.refresh();
    expect(it.state.signing.id).to.equal(id);
    expect(metrics.values.get('ca_material_errors_total/malformed')).to.equal(2);
    expect(metrics.values.get('ca_material_unusable')).to.equal(1);
    expect(lines.filter((line) => line.includes('last good'))).to.have.length(1);
    // A restart does not need it either.
    const again = keeper();
    await again.start();
    expect(again.state.signing.id).to.equal(id);
    secrets.put(caSecretNames.selfSigned, files);
    await it.refresh();
    expect(metrics.values.get('ca_material_unusable')).to.equal(0);
  });

  it('does the same when the record is edited by hand, and does not start from it', async () => {
    const it = await leading();
    const { files } = secrets.stored.get(caSecretNames.rotation)!;
    secrets.put(caSecretNames.rotation, { ...files, 'state.json': '{}' });
    await it.refresh();
    expect(metrics.values.get('ca_material_errors_total/record-malformed')).to.equal(1);
    expect(it.state.signing.id).to.be.a('string');
    expect(await failure(keeper().start())).to.have.property('code', 'record-malformed');
  });

  it('writes a deleted root again as it was', async () => {
    const it = await leading();
    const { id } = it.state.signing;
    secrets.stored.delete(caSecretNames.selfSigned);
    await it.refresh();
    expect(it.state.signing.id).to.equal(id);
    expect(secrets.stored.get(caSecretNames.selfSigned)!.files).to.deep.equal(
      selfSignedFiles(it.state.signing),
    );
  });

  it('rides out an API server that gives no answer', async () => {
    const it = await leading();
    secrets.down = true;
    await it.refresh();
    expect(metrics.values.get('ca_material_errors_total/unreadable')).to.equal(1);
    secrets.down = false;
    await it.refresh();
    expect(metrics.values.get('ca_material_unusable')).to.equal(0);
  });

  it('writes nothing while nothing changes', async () => {
    const it = await leading();
    const { writes } = secrets;
    for (let i = 0; i < 3; i++) await it.refresh();
    expect(secrets.writes).to.equal(writes);
  });

  it('rotates its root by itself, in stages that every replica follows', async () => {
    const it = await leading();
    const follower = keeper();
    await follower.start();
    const first = it.state.signing;
    clock.advance((first.notAfterMs - first.notBeforeMs) * 0.8);
    await it.refresh();
    expect(it.state.waiting?.origin).to.equal('generated');
    expect(it.state.signing.id).to.equal(first.id);
    await follower.refresh();
    expect(follower.state.roots.map(({ id }) => id)).to.deep.equal(it.state.roots.map(({ id }) => id));
    expect(follower.state.roots).to.have.length(2);

    clock.advance(overlapMs);
    await it.refresh();
    const second = it.state.signing;
    expect(second.id).to.not.equal(first.id);
    expect(secrets.stored.get(caSecretNames.selfSigned)!.files['ca-cert.pem']).to.equal(
      second.certificatePem,
    );
    await follower.refresh();
    expect(follower.state.signing.id).to.equal(second.id);

    clock.advance(overlapMs);
    await it.refresh();
    expect(it.state.roots.map(({ id }) => id)).to.deep.equal([second.id]);
    expect(lines.filter((line) => line.includes('signs from now on'))).to.have.length(1);
  });

  it('rotates once for each value of the annotation', async () => {
    const it = await leading();
    const first = it.state.signing.id;
    secrets.annotate(caSecretNames.selfSigned, { [rotateAnnotation]: 'monday' });
    await it.refresh();
    expect(it.state.waiting).to.not.equal(undefined);
    clock.advance(overlapMs);
    await it.refresh();
    const second = it.state.signing.id;
    expect(second).to.not.equal(first);
    await it.refresh();
    expect(it.state.waiting).to.equal(undefined);
    secrets.annotate(caSecretNames.selfSigned, { [rotateAnnotation]: 'tuesday' });
    await it.refresh();
    expect(it.state.waiting).to.not.equal(undefined);
  });

  it('moves from its own root to a plugged-in one with overlap, also across a restart', async () => {
    const it = await leading();
    const own = it.state.signing.id;
    const root = await testCa('corporate');
    const issuing = await testCa('issuing', { parent: root });
    secrets.put(caSecretNames.pluggedIn, cacerts(issuing, root.certificate));
    await it.refresh();
    expect(it.state.signing.id).to.equal(own);
    it[Symbol.dispose]();

    const next = await leading();
    expect(next.state.signing.id, 'the old key still signs').to.equal(own);
    clock.advance(overlapMs);
    await next.refresh();
    expect(next.state.signing.certificatePem).to.equal(issuing.certificate);
    expect(next.state.roots).to.have.length(2);
  });

  it('killed between its two writes, ends where it wanted to be', async () => {
    const it = await leading();
    secrets.annotate(caSecretNames.selfSigned, { [rotateAnnotation]: 'now' });
    await it.refresh();
    const next = it.state.waiting!.authority.id;
    clock.advance(overlapMs);
    let writes = 0;
    secrets.beforeWrite = () => {
      // The Secret of the root is written; before the record the process dies.
      if (++writes === 2) throw new Error('killed');
    };
    await it.refresh();
    it[Symbol.dispose]();
    secrets.beforeWrite = () => {};
    const successor = await leading();
    expect(successor.state.signing.id).to.equal(next);
    expect(successor.state.waiting).to.equal(undefined);
    expect(successor.state.roots).to.have.length(2);
  });

  it('reads again when somebody else wrote in between, and gives up by name if that never ends', async () => {
    const it = await leading();
    secrets.annotate(caSecretNames.selfSigned, { [rotateAnnotation]: 'x' });
    let meddling = 2;
    secrets.beforeWrite = () => {
      if (meddling-- <= 0) return;
      const { files } = secrets.stored.get(caSecretNames.rotation)!;
      secrets.put(caSecretNames.rotation, files);
    };
    await it.refresh();
    expect(it.state.waiting).to.not.equal(undefined);
    meddling = Infinity;
    secrets.annotate(caSecretNames.selfSigned, { [rotateAnnotation]: 'x' });
    clock.advance(overlapMs);
    await it.refresh();
    expect(metrics.values.get('ca_material_errors_total/contended')).to.be.above(0);
  });

  it('looks again by itself, and sooner when a stage ends', async () => {
    const it = await leading();
    expect(clock.nextTimerInMs).to.equal(30_000);
    const changes: number[] = [];
    it.onChange((state) => changes.push(state.roots.length));
    secrets.annotate(caSecretNames.selfSigned, { [rotateAnnotation]: 'x' });
    clock.advance(30_000);
    await it.refresh();
    expect(changes).to.deep.equal([2]);
    clock.advance(overlapMs - 45_000);
    await it.refresh();
    expect(clock.nextTimerInMs).to.be.at.most(30_000);
  });
});
