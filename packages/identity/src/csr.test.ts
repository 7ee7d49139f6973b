import { generateKeyPairSync, sign } from 'node:crypto';

import { expect } from 'chai';

import { createCsr, CsrError, parseCsr } from './csr.ts';
import { DerBuilder } from './der-builder.ts';
import { generateKeyPair, privateKeyPem } from './key-pair.ts';
import { pemBodies, toPem } from './pem.ts';
import { cart, cartUri } from './test-fixtures.ts';

describe('certificate signing request', () => {
  it('has no subject, one URI name and a valid signature', async () => {
    const keyPair = generateKeyPair();
    const pem = await createCsr(cart, keyPair);
    const request = parseCsr(pem);
    expect(request.uriSans).to.deep.equal([cartUri]);
    expect(request.publicKeyDer.equals(keyPair.publicKeyDer)).to.be.true;
    // Version 0, then the empty subject.
    expect(pemBodies(pem, 'CERTIFICATE REQUEST')[0]!.toString('hex')).to.include('0201003000');
    expect(pem).to.not.include(privateKeyPem(keyPair).split('\n')[1]);
  });

  it('is refused when altered, doubled or absent', async () => {
    const pem = await createCsr(cart, generateKeyPair());
    const der = pemBodies(pem, 'CERTIFICATE REQUEST')[0]!;
    const altered = Buffer.from(der);
    altered.write('C', altered.indexOf('cart'));
    expect(() => parseCsr(toPem(altered, 'CERTIFICATE REQUEST'))).to.throw(CsrError, /own key/);
    expect(() => parseCsr(pem + pem)).to.throw(CsrError, /exactly one/);
    expect(() => parseCsr('')).to.throw(CsrError, /exactly one/);
    expect(() => parseCsr(toPem(der.subarray(0, 40), 'CERTIFICATE REQUEST'))).to.throw(CsrError);
  });

  it('is read with every kind of key that a workload may bring', async () => {
    const rows = [
      ['RSA', generateKeyPairSync('rsa', { modulusLength: 2048 }), '1.2.840.113549.1.1.11', 'sha256', 'rsa'],
      ['P-384', generateKeyPairSync('ec', { namedCurve: 'P-384' }), '1.2.840.10045.4.3.3', 'sha384', 'ec'],
      ['Ed25519', generateKeyPairSync('ed25519'), '1.3.101.112', null, 'ed25519'],
    ] as const;
    for (const [label, { privateKey, publicKey }, algorithm, digest, type] of rows) {
      const pem = await request(publicKey.export({ type: 'spki', format: 'der' }), (info) => ({
        algorithm,
        signature: sign(digest, info, privateKey),
      }));
      expect(parseCsr(pem).publicKey.asymmetricKeyType, label).to.equal(type);
    }
  });

  it('is refused when its signature is of a kind that is not accepted, or not of the kind of its key', async () => {
    const { privateKey, publicKeyDer } = generateKeyPair();
    const signedAs = (algorithm: string): Promise<string> =>
      request(publicKeyDer, (info) => ({ algorithm, signature: sign('sha256', info, privateKey) }));
    const sha1 = await signedAs('1.2.840.10045.4.1');
    expect(() => parseCsr(sha1)).to.throw(CsrError, /must be signed with/);
    const claimsRsa = await signedAs('1.2.840.113549.1.1.11');
    expect(() => parseCsr(claimsRsa)).to.throw(CsrError, /another kind of key/);
    const claimsEd = await signedAs('1.3.101.112');
    expect(() => parseCsr(claimsEd)).to.throw(CsrError, /another kind of key/);
  });

  /** A request with an empty subject and no attributes. */
  async function request(
    publicKeyDer: Buffer,
    signer: (info: Buffer) => { algorithm: string; signature: Buffer },
  ): Promise<string> {
    const der = await DerBuilder.load();
    const info = der.sequence(der.integer(Uint8Array.of(0)), der.sequence(), der.raw(publicKeyDer));
    const { algorithm, signature } = signer(der.encode(info));
    return toPem(
      der.encode(der.sequence(info, der.sequence(der.oid(algorithm)), der.bits(signature))),
      'CERTIFICATE REQUEST',
    );
  }

  it('damaged anywhere, fails with its own error or not at all', async () => {
    const der = pemBodies(await createCsr(cart, generateKeyPair()), 'CERTIFICATE REQUEST')[0]!;
    let refusals = 0;
    for (let at = 0; at < der.length; at++) {
      const damaged = Buffer.from(der);
      damaged[at]! ^= 0x41;
      try {
        parseCsr(toPem(damaged, 'CERTIFICATE REQUEST'));
      } catch (error) {
        expect(error).to.be.instanceOf(CsrError);
        refusals += 1;
      }
    }
    expect(refusals).to.equal(der.length);
  });
});
