import { EventEmitter, once } from 'node:events';
import { writeFileSync } from 'node:fs';
import { mkdir, mkdtemp, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

import { ManualClock } from '@ambient/runtime';
import { fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';

import { CrlError, parseRevocationLists } from './crl.ts';
import type { FakeCa } from './fake-ca.ts';
import { issueRevocationList } from './issue-certificate.ts';
import { generateKeyPair } from './key-pair.ts';
import { parsePeerCertificate } from './peer-certificate.ts';
import { pemBodies, toPem } from './pem.ts';
import { findRevoked } from './revocation-set.ts';
import type { RevocationSet } from './revocation-set.ts';
import { RevocationFile } from './revocation.ts';
import { cart, derOf, fakeCa, startMs } from './test-fixtures.ts';

const isRevoked = (...question: Parameters<typeof findRevoked>): boolean =>
  findRevoked(...question) !== undefined;

describe('revocation lists', () => {
  let ca: FakeCa;
  before(async () => {
    ca = await fakeCa();
  });

  async function issued(intermediate = false) {
    const { certificateChainPem } = await ca.issue(cart, { intermediate });
    return certificateChainPem.map((pem) => parsePeerCertificate(derOf(pem)));
  }

  it('are read from PEM, several at a time, and from DER', async () => {
    const one = await ca.revocationList(['01ff', 'abcdef']);
    const none = await ca.revocationList([]);
    const lists = parseRevocationLists(Buffer.from(`# comment\n${one}${none}`));
    expect(lists.map(({ serials }) => [...serials])).to.deep.equal([['01ff', 'abcdef'], []]);
    const [fromDer] = parseRevocationLists(pemBodies(one, 'X509 CRL')[0]!);
    expect(fromDer).to.deep.equal(lists[0]);
  });

  it('are refused when empty, cut off, or of another kind', async () => {
    const one = await ca.revocationList(['01']);
    for (const text of ['', 'text', ca.rootPem, one.slice(0, -30), one + one.slice(0, 100)])
      expect(() => parseRevocationLists(Buffer.from(text)), JSON.stringify(text.slice(-40))).to.throw(
        CrlError,
      );
  });

  it('are refused when they say what cannot be honoured', async () => {
    const der = pemBodies(await ca.revocationList(['01']), 'X509 CRL')[0]!;
    // The CRL number (2.5.29.20) becomes an unknown extension; not critical, so it is skipped.
    const at = der.indexOf(Buffer.from('0603551d14', 'hex'));
    const unknown = Buffer.from(der);
    unknown[at + 4] = 0x7f;
    expect(parseRevocationLists(unknown)).to.have.length(1);
    // The issuing distribution point (2.5.29.28) must be readable, since it can turn the meaning.
    const distribution = Buffer.from(der);
    distribution[at + 4] = 0x1c;
    expect(() => parseRevocationLists(distribution)).to.throw(CrlError, /issuingDistributionPoint/);
  });

  it('fail only with their own error on arbitrary damage [fuzz]', async () => {
    const der = pemBodies(await ca.revocationList(['01ff', '02']), 'X509 CRL')[0]!;
    fc.assert(
      fc.property(fc.nat(der.length - 1), fc.nat(255), fc.nat(der.length), (at, byte, cut) => {
        const damaged = Buffer.from(der);
        damaged[at] = byte;
        for (const bytes of [damaged, damaged.subarray(0, cut)])
          try {
            parseRevocationLists(bytes);
          } catch (error) {
            expect(error).to.be.instanceOf(CrlError);
          }
      }),
      fuzzBudget(),
    );
  });

  describe('as a set', () => {
    function setOf(pem: string): RevocationSet {
      const [list] = parseRevocationLists(Buffer.from(pem));
      return new Map([[list!.issuerKey, [list!]]]);
    }

    it('tell a revoked leaf and a revoked intermediate, also after a structured clone', async () => {
      const [leaf, intermediate] = await issued(true);
      const set = setOf(await ca.revocationList([intermediate!.serialNumber]));
      const [good] = await issued();
      const cloned = structuredClone(set);
      expect(findRevoked(cloned, [leaf!, intermediate!])).to.equal(intermediate);
      expect(isRevoked(cloned, [leaf!])).to.be.false;
      expect(isRevoked(cloned, [good!])).to.be.false;
      const leafSet = setOf(await ca.revocationList([good!.serialNumber]));
      expect(findRevoked(leafSet, [good!])).to.equal(good);
    });

    it('tell CAs of one name apart by key', async () => {
      const other = await fakeCa();
      const [leaf] = await issued();
      const set = setOf(await other.revocationList([leaf!.serialNumber]));
      expect(isRevoked(set, [leaf!])).to.be.false;
      expect(isRevoked(set, [{ ...leaf!, authorityKeyId: undefined }])).to.be.true;
    });
  });

  describe('in a file', () => {
    let directory: string;
    let path: string;
    let clock: ManualClock;
    let file: RevocationFile | undefined;
    let updates: RevocationSet[];
    let errors: string[];

    beforeEach(async () => {
      directory = await mkdtemp(join(tmpdir(), 'crl-'));
      path = join(directory, 'ca-crl.pem');
      clock = new ManualClock(startMs);
      updates = [];
      errors = [];
    });

    afterEach(async () => {
      file?.[Symbol.dispose]();
      file = undefined;
      expect(clock.pendingTimers, 'timers left').to.equal(0);
      await rm(directory, { recursive: true });
    });

    function open(): RevocationFile {
      file = new RevocationFile({
        path,
        clock,
        onUpdate: (set) => updates.push(set),
        onError: (error) => errors.push(error.message),
      });
      return file;
    }

    /** Past the poll and the debounce. */
    function settle(): void {
      clock.advance(12_001);
    }

    it('absent at start means none until it appears', async () => {
      const opened = open();
      expect(opened.state).to.equal('absent');
      expect(opened.current.size).to.equal(0);
      const [leaf] = await issued();
      await writeFile(path, await ca.revocationList([leaf!.serialNumber]));
      settle();
      expect(opened.state).to.equal('loaded');
      expect(updates).to.have.length(1);
      expect(isRevoked(opened.current, [leaf!])).to.be.true;
      expect(errors).to.deep.equal([]);
    });

    it('malformed at start turns revocation off until a restart', async () => {
      await writeFile(path, 'nonsense');
      const opened = open();
      expect(opened.state).to.equal('off');
      expect(errors).to.have.length(1);
      expect(errors[0]).to.match(/off until a restart/);
      await writeFile(path, await ca.revocationList(['01']));
      settle();
      expect(updates).to.deep.equal([]);
      expect(opened.current.size).to.equal(0);
    });

    it('keeps the last good lists when a reload fails or the file vanishes', async () => {
      const [leaf] = await issued();
      await writeFile(path, await ca.revocationList([leaf!.serialNumber]));
      const opened = open();
      expect(opened.state).to.equal('loaded');
      await writeFile(path, 'nonsense');
      settle();
      expect(errors[0]).to.match(/last good lists stay/);
      await rm(path);
      settle();
      expect(errors[1]).to.match(/is gone/);
      expect(isRevoked(opened.current, [leaf!])).to.be.true;
      await writeFile(path, await ca.revocationList([]));
      settle();
      expect(updates).to.have.length(1);
      expect(isRevoked(opened.current, [leaf!])).to.be.false;
    });

    it('waits two seconds of quiet before a reload', async () => {
      await writeFile(path, await ca.revocationList([]));
      open();
      const changed = await ca.revocationList(['01']);
      // In one turn of the event loop, so that polling at 10 s is what notices it.
      writeFileSync(path, changed);
      clock.advance(10_000);
      clock.advance(1999);
      expect(updates).to.have.length(0);
      clock.advance(1);
      expect(updates).to.have.length(1);
    });

    it('is noticed through the links of a mounted ConfigMap', async () => {
      await mkdir(join(directory, 'v1'));
      await mkdir(join(directory, 'v2'));
      await writeFile(join(directory, 'v1', 'ca-crl.pem'), await ca.revocationList(['01']));
      await writeFile(join(directory, 'v2', 'ca-crl.pem'), await ca.revocationList(['02']));
      await symlink('v1', join(directory, '..data'));
      await symlink('..data/ca-crl.pem', path);
      // Timers tell when the watch of the directory saw something, without polling.
      const seen = new EventEmitter();
      const telling = {
        nowMs: () => clock.nowMs(),
        setTimer: (ms: number, fn: () => void) => {
          if (ms === 2000) seen.emit('debounce');
          return clock.setTimer(ms, fn);
        },
      };
      file = new RevocationFile({
        path,
        clock: telling,
        onUpdate: (set) => updates.push(set),
        onError: (error) => errors.push(error.message),
      });
      const noticed = once(seen, 'debounce');
      await symlink('v2', join(directory, '..data_tmp'));
      await rename(join(directory, '..data_tmp'), join(directory, '..data'));
      await noticed;
      clock.advance(2000);
      expect([...updates[0]!.values()].flat().flatMap(({ serials }) => [...serials])).to.deep.equal(['02']);
    });

    it('must be signed by a CA that is known by that name', async () => {
      const stranger = generateKeyPair();
      const commonName = 'FAKE CA - throwaway, not for production';
      const forged = await issueRevocationList({
        issuer: { commonName, ...stranger },
        entries: [{ serialNumber: '01', revokedMs: startMs }],
        thisUpdateMs: startMs,
        nextUpdateMs: startMs,
        number: 1,
      });
      await writeFile(path, await ca.revocationList([]));
      const opened = open();
      opened.setIssuers([ca.rootPem]);
      expect(errors).to.deep.equal([]);
      await writeFile(path, toPem(forged, 'X509 CRL'));
      settle();
      expect(errors[0]).to.match(/not signed by the CA/);
      expect(updates).to.have.length(0);
    });

    it('is believed while its CA is unknown, and judged when that is known', async () => {
      const other = await fakeCa();
      await writeFile(path, (await ca.revocationList(['01'])) + (await other.revocationList(['02'])));
      const opened = open();
      expect([...opened.current.values()].flat()).to.have.length(2);
      opened.setIssuers([ca.rootPem]);
      opened.setIssuers([ca.rootPem]);
      expect(errors).to.have.length(1);
      const left = [...opened.current.values()].flat();
      expect(left.map(({ serials }) => [...serials])).to.deep.equal([['01']]);
      expect(updates).to.have.length(1);
    });
  });
});
