import { expect } from 'chai';

import { createCsr, CsrError, parseCsr } from './csr.ts';
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
