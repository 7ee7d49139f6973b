import { generateKeyPairSync } from 'node:crypto';

import { issueCertificate, workloadUsages } from '@ambient/identity/signing';
import { expect } from 'chai';
import fc from 'fast-check';

import { cacerts, testCa } from './ca.test-data.ts';
import { readPluggedIn } from './ca-files.ts';
import { LeafTemplate } from './leaf-template.ts';
import { randomSerial } from './serial-number.ts';
import { makeSelfSignedRoot } from './self-signed-root.ts';

const spki = (pair: { publicKey: { export(options: { type: 'spki'; format: 'der' }): Buffer } }): Buffer =>
  pair.publicKey.export({ type: 'spki', format: 'der' });

/** The signed part: ECDSA signatures differ each time. */
function signedPart(der: Buffer): string {
  const outer = der[1] === 0x82 ? 4 : 3;
  expect(der[outer + 1]).to.equal(0x82);
  return der.subarray(outer, outer + 4 + der.readUInt16BE(outer + 2)).toString('hex');
}

describe('leaf template', () => {
  const keys = [
    spki(generateKeyPairSync('ec', { namedCurve: 'P-256' })),
    spki(generateKeyPairSync('ec', { namedCurve: 'P-384' })),
    spki(generateKeyPairSync('rsa', { modulusLength: 4096 })),
  ];

  for (const keyType of ['rsa', 'ec'] as const)
    it(`makes what the general code makes, byte for byte, with an ${keyType} key [property]`, async () => {
      const ca = await testCa('issuing', { keyType });
      const authorities = [
        readPluggedIn(cacerts(ca, ca.certificate), 'cacerts')!,
        await makeSelfSignedRoot({ keyType, trustDomain: 'cluster.local' }, 0),
      ];
      for (const authority of authorities) {
        const template = await LeafTemplate.of(authority);
        await fc.assert(
          fc.asyncProperty(
            fc.constantFrom(...keys),
            fc.uint8Array({ minLength: 1, maxLength: 16 }).filter((it) => it[0] !== 0),
            // Across the change of the form of times in 2050.
            fc.integer({ min: Date.UTC(2026, 0), max: Date.UTC(2070, 0) }),
            fc.stringMatching(/^spiffe:\/\/[a-z]{1,200}\/ns\/[a-z]{1,20}\/sa\/[a-z]{1,40}$/),
            async (publicKeyDer, serial, notAfterMs, uri) => {
              const serialNumber = Buffer.from(serial);
              const notBeforeMs = notAfterMs - 3600_000;
              const ours = await template.issue({ publicKeyDer, serialNumber, notBeforeMs, notAfterMs, uri });
              const general = await issueCertificate({
                issuer: authority.signer,
                publicKeyDer,
                serialNumber,
                notBeforeMs,
                notAfterMs,
                isCa: false,
                uriSans: [uri],
                extendedKeyUsages: workloadUsages,
              });
              if (keyType === 'rsa') expect(ours.equals(general)).to.be.true;
              else expect(signedPart(ours)).to.equal(signedPart(general));
            },
          ),
          { numRuns: 40 },
        );
      }
    });

  it('gives serial numbers of 128 bits that are whole octets', () => {
    for (let i = 0; i < 2000; i++) {
      const serial = randomSerial();
      expect(serial).to.have.length(16);
      expect(serial[0]).to.not.equal(0);
    }
  });
});
