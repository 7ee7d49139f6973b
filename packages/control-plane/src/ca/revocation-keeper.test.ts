import { findRevoked, parsePeerCertificate } from '@ambient/identity';
import { parseRevocationLists } from '@ambient/identity/signing';
import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import {
  cacerts,
  dayMs,
  FakeMetrics,
  FakeSecrets,
  openssl,
  recordingLogger,
  startMs,
  testCa,
} from './ca.test-data.ts';
import type { KeyType } from './ca.test-data.ts';
import { readPluggedIn } from './ca-files.ts';
import type { StoredCertificates } from './issued-keeper.ts';
import { IssuedLog } from './issued-log.ts';
import { RevocationRequestError, revocationSecretName } from './revocation-edit.ts';
import { RevocationKeeper } from './revocation-keeper.ts';
import { nothingRevokedYet, writeRevocationRecord } from './revocation-record.ts';
import { advance, initialTrust, offer } from './rotation.ts';
import type { TrustState } from './rotation.ts';

const till = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'till' };
const ttlMs = 90 * dayMs;

describe('revocation', () => {
  let secrets: FakeSecrets;
  let clock: ManualClock;
  let metrics: FakeMetrics;
  let trust: TrustState;
  let issued: IssuedLog;
  /** What is stored of an identity. */
  let stored: StoredCertificates;
  const opened: RevocationKeeper[] = [];

  beforeEach(async () => {
    secrets = new FakeSecrets();
    clock = new ManualClock(startMs);
    metrics = new FakeMetrics();
    issued = new IssuedLog();
    stored = { entries: [], forgottenMs: 0 };
    trust = initialTrust(await authority('root'));
  });
  afterEach(() => {
    for (const keeper of opened.splice(0)) keeper[Symbol.dispose]();
    expect(clock.pendingTimers).to.equal(0);
  });

  async function authority(name: string, keyType: KeyType = 'ec') {
    const root = await testCa(name, { keyType, notAfterMs: startMs + 3000 * dayMs });
    return readPluggedIn(cacerts(root, root.certificate), 'cacerts')!;
  }

  function keeper(log = issued): RevocationKeeper {
    const made = new RevocationKeeper({
      secrets,
      trust: () => trust,
      issued: log,
      stored: () => Promise.resolve(stored),
      maxTtlMs: ttlMs,
      clock,
      logger: recordingLogger().logger,
      metrics,
    });
    opened.push(made);
    return made;
  }

  const serialsOf = (it: RevocationKeeper): string[][] =>
    parseRevocationLists(Buffer.from(it.listsPem!)).map(({ serials }) => Array.from(serials));

  it('makes no list, and writes nothing, before anything is revoked', async () => {
    const it = keeper();
    await it.lead();
    expect(it.listsPem).to.equal(undefined);
    expect(secrets.writes).to.equal(0);
  });

  for (const keyType of ['ec', 'rsa'] as const)
    it(`signs lists that openssl verifies, with an ${keyType} key`, async () => {
      const signing = await authority('root', keyType);
      trust = initialTrust(signing);
      const it = keeper();
      await it.lead();
      await it.revokeSerial('0A:0b:CC', 'keyCompromise');
      await it.revokeSerial('ff', 'unspecified');
      const files = { list: it.listsPem!, root: signing.certificatePem };
      expect(openssl(['crl', '-in', 'list', '-noout', '-verify', '-CAfile', 'root'], files)).to.match(
        /verify OK/,
      );
      const text = openssl(['crl', '-in', 'list', '-noout', '-text'], files);
      expect(text)
        .to.match(/Version 2/)
        .and.match(/CRL Number: *\n? *2/)
        .and.match(/Serial Number: 0A0BCC/);
      expect(text.match(/Key Compromise/g)).to.have.length(1);
      expect(text).to.match(/Next Update: Jun +8/);
      const stranger = (await testCa('root')).certificate;
      expect(
        openssl(['crl', '-in', 'list', '-noout', '-verify', '-CAfile', 'root'], { ...files, root: stranger }),
      ).to.not.match(/verify OK/);
    });

  it('revokes a serial number as any tool prints it, once', async () => {
    const it = keeper();
    await it.lead();
    await it.revokeSerial('0A:0B', 'superseded');
    await it.revokeSerial('a0b', 'superseded');
    expect(serialsOf(it)).to.deep.equal([['0a0b']]);
    expect(it.isRevoked('0a0b')).to.be.true;
    for (const bad of ['', 'xyz', '0x0a', 'a'.repeat(50), '-1']) {
      const outcome = await it.revokeSerial(bad, 'unspecified').catch((error: unknown) => error);
      expect(outcome, bad).to.be.instanceOf(RevocationRequestError);
    }
  });

  it('revokes what each replica issued to an identity, and not what is issued afterwards', async () => {
    const other = new IssuedLog();
    issued.add(till, { serialNumber: '0a', issuedMs: startMs, notAfterMs: startMs + dayMs });
    other.add(till, { serialNumber: '0b', issuedMs: startMs, notAfterMs: startMs + dayMs });
    const leader = keeper();
    const follower = keeper(other);
    await leader.lead();
    expect(await leader.revokeIdentity(till, 'keyCompromise')).to.equal(1);
    clock.advance(1000);
    issued.add(till, { serialNumber: '0c', issuedMs: startMs + 1000, notAfterMs: startMs + dayMs });
    await follower.refresh();
    await leader.refresh();
    await follower.refresh();
    expect(serialsOf(leader)).to.deep.equal([['0a', '0b']]);
    expect(follower.listsPem).to.equal(leader.listsPem);
    expect(follower.isRevoked('0b')).to.be.true;
    expect(leader.isRevoked('0c')).to.be.false;
  });

  it('revokes what was issued to an identity before a restart, as far as it is stored', async () => {
    stored = {
      entries: [
        { serialNumber: '0a', issuedMs: startMs - 1000, notAfterMs: startMs + dayMs },
        { serialNumber: '0b', issuedMs: startMs - 1000, notAfterMs: startMs - 1 },
        { serialNumber: '0c', issuedMs: startMs + 1000, notAfterMs: startMs + dayMs },
      ],
      forgottenMs: 0,
    };
    const it = keeper();
    await it.lead();
    // Somebody writes at the same moment: nothing of what was looked up gets lost.
    let between = true;
    secrets.beforeWrite = () => {
      if (between) secrets.put(revocationSecretName, writeRevocationRecord(nothingRevokedYet));
      between = false;
    };
    await it.revokeIdentity(till, 'keyCompromise');
    expect(serialsOf(it)).to.deep.equal([['0a']]);
  });

  it('a replica that does not lead stores what is revoked, and the leader signs', async () => {
    const leader = keeper();
    const follower = keeper();
    await leader.lead();
    await follower.revokeSerial('0d', 'keyCompromise');
    expect(follower.isRevoked('0d'), 'at once in its own eyes').to.be.true;
    await leader.refresh();
    expect(serialsOf(leader)).to.deep.equal([['0d']]);
  });

  it('has a list of each authority whose certificates may be alive', async () => {
    const it = keeper();
    await it.lead();
    await it.revokeSerial('0e', 'keyCompromise');
    const before = trust.signing;
    trust = offer(trust, await authority('next'), 'offered', startMs).state;
    trust = advance(trust, startMs + dayMs, dayMs).state;
    await it.refresh();
    expect(serialsOf(it)).to.deep.equal([['0e'], ['0e']]);
    const [newer, older] = it.listsPem!.split(/(?<=-----END X509 CRL-----\n)/);
    for (const [crl, root] of [
      [newer!, trust.signing.certificatePem],
      [older!, before.certificatePem],
    ])
      expect(
        openssl(['crl', '-in', 'list', '-noout', '-verify', '-CAfile', 'root'], { list: crl!, root: root! }),
      ).to.match(/verify OK/);
  });

  it('signs again after half the life of a list, and not before', async () => {
    const it = keeper();
    await it.lead();
    await it.revokeSerial('0f', 'unspecified');
    const first = it.listsPem;
    const changes: string[] = [];
    it.onChange((lists) => changes.push(lists));
    const { writes } = secrets;
    await it.refresh();
    clock.advance(3 * dayMs);
    await it.refresh();
    expect(it.listsPem).to.equal(first);
    expect(secrets.writes).to.equal(writes);
    clock.advance(0.6 * dayMs);
    await it.refresh();
    expect(it.listsPem).to.not.equal(first);
    expect(changes).to.have.length(1);
  });

  it('a new leader goes on with the lists of the one before', async () => {
    const first = keeper();
    await first.lead();
    await first.revokeSerial('10', 'unspecified');
    const next = keeper();
    await next.lead();
    expect(next.listsPem).to.equal(first.listsPem);
  });

  it('forgets a certificate once it has expired anyway', async () => {
    const it = keeper();
    await it.lead();
    await it.revokeSerial('11', 'unspecified');
    clock.advance(ttlMs + 1);
    await it.refresh();
    expect(serialsOf(it)).to.deep.equal([[]]);
    expect(it.isRevoked('11')).to.be.false;
  });

  it('keeps both when two replicas revoke at once', async () => {
    const one = keeper();
    const two = keeper();
    await Promise.all([one.revokeSerial('12', 'unspecified'), two.revokeSerial('13', 'unspecified')]);
    await one.lead();
    expect(serialsOf(one)[0]!.sort()).to.deep.equal(['12', '13']);
  });

  it('goes on with the last good list when the Secret is edited by hand or cannot be read', async () => {
    const it = keeper();
    await it.lead();
    await it.revokeSerial('14', 'unspecified');
    const good = it.listsPem;
    const { files } = secrets.stored.get(revocationSecretName)!;
    const state = JSON.parse(files['revocations.json']!) as object;
    for (const text of [
      '',
      '[]',
      '{}',
      JSON.stringify({ ...state, certificates: [{ serialNumber: 'zz' }] }),
      JSON.stringify({
        ...state,
        identities: [{ identity: 'x', reason: 'unspecified', revokedMs: 0, untilMs: 0 }],
      }),
      JSON.stringify({ ...state, listNumber: '1' }),
    ]) {
      secrets.put(revocationSecretName, { ...files, 'revocations.json': text });
      await it.refresh();
      expect(it.listsPem, text).to.equal(good);
    }
    expect(metrics.values.get('ca_material_errors_total/record-malformed')).to.equal(6);
    secrets.down = true;
    await it.refresh();
    expect(it.isRevoked('14')).to.be.true;
  });

  it('is understood by proxies', async () => {
    const it = keeper();
    await it.lead();
    const root = await testCa('root');
    const leaf = await testCa('leaf', { parent: root, isCa: false });
    trust = initialTrust(readPluggedIn(cacerts(root, root.certificate), 'cacerts')!);
    const der = Buffer.from(leaf.certificate.replace(/-----[^-]+-----|\n/g, ''), 'base64');
    const certificate = parsePeerCertificate(der);
    await it.revokeSerial(certificate.serialNumber, 'keyCompromise');
    const lists = parseRevocationLists(Buffer.from(it.listsPem!));
    const set = new Map(lists.map((list) => [list.issuerKey, [list]]));
    expect(findRevoked(set, [certificate])).to.equal(certificate);
  });
});
