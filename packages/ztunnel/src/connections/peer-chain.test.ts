import { FakeCa, splitPem } from '@ambient/identity';
import { HboneError } from '@ambient/hbone';
import { expect } from 'chai';
import { readVerifiedChain } from './peer-chain.ts';

const identity = { trustDomain: 'cluster.local', namespace: 'a', serviceAccount: 'b' };
const derOf = (pem: string): Buffer => Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');

describe('the verified chain of a peer', () => {
  let chain: Buffer[];
  before(async () => {
    const ca = await FakeCa.create({ now: () => Date.UTC(2026, 5, 1) });
    const { certificateChainPem } = await ca.issue(identity, { intermediate: true });
    chain = [...certificateChainPem, ...splitPem(ca.rootPem, 'CERTIFICATE')].map(derOf);
    expect(chain).to.have.lengthOf(3);
  });

  /** As OpenSSL takes it and we do not: with something behind it. */
  const odd = (der: Buffer): Buffer => Buffer.concat([der, Buffer.of(0)]);

  it('is read whole', () => {
    const read = readVerifiedChain(chain);
    expect(read).to.have.lengthOf(3);
    expect(read).to.have.nested.property('[0].uriSans[0]', 'spiffe://cluster.local/ns/a/sa/b');
  });

  it('is read without a root that is odd', () => {
    expect(readVerifiedChain([chain[0]!, chain[1]!, odd(chain[2]!)])).to.have.lengthOf(2);
  });

  for (const index of [0, 1])
    it(`is refused by name when certificate ${index + 1} is odd`, () => {
      const read = readVerifiedChain(chain.map((der, at) => (at === index ? odd(der) : der)));
      expect(read).to.be.instanceOf(HboneError);
      expect(read).to.include({ code: 'peer-identity', reason: 'malformed-certificate' });
    });

  it('is refused when it is one certificate that is odd', () => {
    expect(readVerifiedChain([odd(chain[0]!)])).to.be.instanceOf(HboneError);
  });
});
