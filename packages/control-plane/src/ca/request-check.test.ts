import { generateKeyPairSync, sign } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

import { createCsr, generateKeyPair } from '@ambient/identity';
import { DerBuilder, toPem } from '@ambient/identity/signing';
import { expect } from 'chai';

import { CertificateError } from './certificate-error.ts';
import { checkCsr, grantLifetime } from './request-check.ts';

const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' };
const hourMs = 3600 * 1000;

async function csrOf(
  { privateKey, publicKey }: { privateKey: KeyObject; publicKey: KeyObject },
  algorithm: string,
  digest: string | null,
): Promise<string> {
  const der = await DerBuilder.load();
  const info = der.sequence(
    der.integer(Uint8Array.of(0)),
    der.sequence(),
    der.raw(publicKey.export({ type: 'spki', format: 'der' })),
  );
  const signature = der.bits(sign(digest, der.encode(info), privateKey));
  return toPem(
    der.encode(der.sequence(info, der.sequence(der.oid(algorithm)), signature)),
    'CERTIFICATE REQUEST',
  );
}

const ecdsa = '1.2.840.10045.4.3.2';
const rsa = '1.2.840.113549.1.1.11';

describe('request for a certificate', () => {
  it('may be for P-256, P-384 and RSA from 2048 bits on', async () => {
    checkCsr(await createCsr(identity, generateKeyPair()));
    checkCsr(await csrOf(generateKeyPairSync('ec', { namedCurve: 'P-384' }), ecdsa, 'sha256'));
    checkCsr(await csrOf(generateKeyPairSync('rsa', { modulusLength: 2048 }), rsa, 'sha256'));
    checkCsr(await csrOf(generateKeyPairSync('rsa', { modulusLength: 3072 }), rsa, 'sha256'));
  });

  it('is refused for keys that not every proxy accepts', async () => {
    const rows = [
      ['P-521', await csrOf(generateKeyPairSync('ec', { namedCurve: 'P-521' }), ecdsa, 'sha256')],
      ['secp256k1', await csrOf(generateKeyPairSync('ec', { namedCurve: 'secp256k1' }), ecdsa, 'sha256')],
      ['RSA 1024', await csrOf(generateKeyPairSync('rsa', { modulusLength: 1024 }), rsa, 'sha256')],
      ['Ed25519', await csrOf(generateKeyPairSync('ed25519'), '1.3.101.112', null)],
    ] as const;
    for (const [what, csr] of rows)
      expect(() => checkCsr(csr), what)
        .to.throw(CertificateError, /P-256/)
        .with.property('code', 'csr-key');
  });

  it('is refused as garbage by name', async () => {
    const good = await createCsr(identity, generateKeyPair());
    const rows = {
      empty: '',
      garbage: 'garbage',
      two: good + good,
      'cut off': good.slice(0, 200),
      certificate: good.replaceAll('CERTIFICATE REQUEST', 'CERTIFICATE'),
      huge: good + ' '.repeat(20_000),
      'another key': good.replace(/\n.{10}/, (start) => start.split('').reverse().join('')),
    };
    for (const [what, csr] of Object.entries(rows))
      expect(() => checkCsr(csr), what)
        .to.throw(CertificateError)
        .with.property('code', 'malformed-csr');
  });

  describe('lifetime', () => {
    const nowMs = Date.UTC(2026, 5, 1, 12, 0, 0, 750);
    const bounds = {
      defaultTtlMs: 24 * hourMs,
      maxTtlMs: 2160 * hourMs,
      authorityNotAfterMs: nowMs + 9000 * hourMs,
    };
    const floor = (ms: number): number => Math.floor(ms / 1000) * 1000;

    const rows: readonly (readonly [string, number, number])[] = [
      ['nothing: the default', 0, 24 * hourMs],
      ['less than nothing: the default', -5, 24 * hourMs],
      ['an hour', 3600, hourMs],
      ['exactly the most', 2160 * 3600, 2160 * hourMs],
      ['a second', 1, 1000],
    ];
    for (const [what, seconds, ms] of rows)
      it(`is granted for ${what}`, () => {
        expect(grantLifetime(seconds, bounds, nowMs)).to.deep.equal({
          notBeforeMs: floor(nowMs - Math.min(120_000, ms / 4)),
          notAfterMs: floor(nowMs + ms),
        });
      });

    it('leaves half of a short one in the future, when proxies renew', () => {
      for (const seconds of [8, 60, 300]) {
        const { notBeforeMs, notAfterMs } = grantLifetime(seconds, bounds, nowMs);
        expect((notBeforeMs + notAfterMs) / 2 - nowMs).to.be.at.least(seconds * 250);
        expect(notBeforeMs).to.be.below(nowMs);
      }
    });

    it('is cut where the CA ends, and refused after that', () => {
      const authorityNotAfterMs = nowMs + 5 * hourMs;
      expect(grantLifetime(0, { ...bounds, authorityNotAfterMs }, nowMs).notAfterMs).to.equal(
        floor(authorityNotAfterMs),
      );
      expect(() => grantLifetime(0, { ...bounds, authorityNotAfterMs: nowMs }, nowMs))
        .to.throw(CertificateError)
        .with.property('code', 'ca-expired');
    });

    it('is refused, not cut, above the most', () => {
      for (const seconds of [2160 * 3600 + 1, 1e15, 2 ** 63])
        expect(() => grantLifetime(seconds, bounds, nowMs))
          .to.throw(CertificateError, /MAX_WORKLOAD_CERT_TTL/)
          .with.property('code', 'ttl-too-long');
      for (const seconds of [NaN, Infinity])
        expect(() => grantLifetime(seconds, bounds, nowMs)).to.throw(CertificateError);
    });
  });
});
