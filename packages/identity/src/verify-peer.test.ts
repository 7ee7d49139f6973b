import { expect } from 'chai';

import type { FakeCertificateOptions } from './fake-ca.ts';
import { clientAuth, parsePeerCertificate, serverAuth } from './peer-certificate.ts';
import { cart, cartUri, derOf, fakeCa } from './test-fixtures.ts';
import { verifyClientPeer, verifyServerPeer } from './verify-peer.ts';

async function leaf(options: FakeCertificateOptions = {}): Promise<Buffer> {
  return derOf((await (await fakeCa()).issue(cart, options)).certificateChainPem[0]!);
}

/** A v1 certificate: the version field is cut out, which shortens two enclosing lengths by five bytes. */
function asVersion1(der: Buffer): Buffer {
  const at = der.indexOf(Buffer.from('a003020102', 'hex'));
  const copy = Buffer.concat([der.subarray(0, at), der.subarray(at + 5)]);
  copy.writeUInt16BE(copy.readUInt16BE(2) - 5, 2);
  copy.writeUInt16BE(copy.readUInt16BE(6) - 5, 6);
  return copy;
}

describe('peer verification', () => {
  describe('of a server', () => {
    it('accepts one of the expected names and says which', async () => {
      const verdict = verifyServerPeer(await leaf(), ['spiffe://cluster.local/ns/shop/sa/other', cartUri]);
      expect(verdict).to.deep.include({ ok: true, san: cartUri, identity: cart });
    });

    it('accepts a name that is not the first, and one of another shape', async () => {
      const der = await leaf({ uriSans: [cartUri, 'spiffe://cluster.local/gateway'] });
      const verdict = verifyServerPeer(der, ['spiffe://cluster.local/gateway']);
      expect(verdict).to.deep.include({
        ok: true,
        san: 'spiffe://cluster.local/gateway',
        identity: undefined,
      });
    });

    it('accepts a certificate that does not restrict its usage', async () => {
      expect(verifyServerPeer(await leaf({ extendedKeyUsages: undefined }), [cartUri])).to.include({
        ok: true,
      });
    });

    const refused: [string, FakeCertificateOptions, readonly string[], RegExp][] = [
      ['unexpected-identity', {}, ['spiffe://cluster.local/ns/shop/sa/cart2'], /expected .*cart2/],
      ['unexpected-identity', {}, [cartUri.toUpperCase()], /reused by another pod/],
      ['no-expected-identity', {}, [], /subject alternative names/],
      ['no-spiffe-id', { uriSans: [] }, [cartUri], /another CA/],
      ['ca-certificate', { isCa: true }, [cartUri], /CA:FALSE/],
      ['missing-server-auth', { extendedKeyUsages: [clientAuth] }, [cartUri], /serverAuth/],
      ['unexpected-identity', { uriSans: [`x:y,URI:${cartUri}`] }, [cartUri], /the server is x:y,URI:spiffe/],
    ];
    for (const [reason, options, expected, message] of refused)
      it(`refuses: ${reason} (${JSON.stringify(options)})`, async () => {
        const verdict = verifyServerPeer(await leaf(options), expected);
        expect(verdict).to.include({ ok: false, reason });
        expect(verdict).to.have.property('message').that.matches(message);
      });

    it('refuses version 1 and garbage', async () => {
      expect(verifyServerPeer(asVersion1(await leaf()), [cartUri])).to.include({ ok: false });
      const v1 = { ...parsePeerCertificate(await leaf()), version: 1 };
      expect(verifyServerPeer(v1, [cartUri])).to.include({ ok: false, reason: 'not-version-3' });
      expect(verifyServerPeer(Buffer.from('no certificate'), [cartUri])).to.include({
        ok: false,
        reason: 'malformed-certificate',
      });
    });

    it('does not let a certificate full of names flood the log', async () => {
      const uriSans = Array.from({ length: 50 }, (_, i) => `spiffe://${'x'.repeat(300)}/${i}`);
      const verdict = verifyServerPeer(await leaf({ uriSans }), [cartUri]);
      expect(verdict).to.have.property('message').with.length.below(1200);
      expect(verdict).to.have.property('message').that.includes('and 47 more');
    });
  });

  describe('of a client', () => {
    it('accepts our trust domain and takes the first name', async () => {
      expect(verifyClientPeer(await leaf(), 'cluster.local')).to.deep.include({ ok: true, identity: cart });
    });

    it('takes the first SPIFFE name even if a later one carries the trust domain', async () => {
      const foreign = 'spiffe://other/ns/a/sa/b';
      const der = await leaf({ uriSans: ['https://x/', foreign, cartUri] });
      expect(verifyClientPeer(der, 'cluster.local')).to.deep.include({
        ok: true,
        identity: { trustDomain: 'other', namespace: 'a', serviceAccount: 'b' },
      });
    });

    const refused: [string, FakeCertificateOptions, string][] = [
      ['foreign-trust-domain', {}, 'other.domain'],
      ['foreign-trust-domain', {}, 'cluster.local.'],
      ['no-spiffe-id', { uriSans: ['https://cluster.local/'] }, 'cluster.local'],
      ['no-spiffe-id', { uriSans: [] }, 'cluster.local'],
      ['ca-certificate', { isCa: true }, 'cluster.local'],
      ['missing-client-auth', { extendedKeyUsages: [serverAuth] }, 'cluster.local'],
    ];
    for (const [reason, options, trustDomain] of refused)
      it(`refuses: ${reason} (${JSON.stringify(options)}, ${trustDomain})`, async () => {
        expect(verifyClientPeer(await leaf(options), trustDomain)).to.include({ ok: false, reason });
      });
  });
});
