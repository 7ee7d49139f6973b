import { FakeCa } from '@ambient/identity';
import type { FakeCertificateOptions, Identity } from '@ambient/identity';
import { pemBodies } from '@ambient/identity/signing';
import { expect } from 'chai';

import { AuthError } from './auth-error.ts';
import { Authenticator } from './authenticate.ts';
import type { Credentials } from './authenticate.ts';
import type { ReviewedToken } from './token-review.ts';

const cart: Identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' };
const account: ReviewedToken = {
  namespace: 'shop',
  serviceAccount: 'till',
  pod: { name: 'till-1', uid: 'u' },
  nodeName: 'node-a',
};

describe('authentication', () => {
  let ca: FakeCa;
  let revoked: ReadonlySet<string>;

  before(async () => {
    ca = await FakeCa.create({ now: () => Date.UTC(2026, 5, 1) });
  });
  beforeEach(() => {
    revoked = new Set();
  });

  function authenticate(credentials: Partial<Credentials>) {
    const check = (token: string): Promise<ReviewedToken> =>
      token === 'good' ? Promise.resolve(account) : Promise.reject(new AuthError('token-rejected', 'no'));
    return new Authenticator({
      trustDomain: () => 'cluster.local',
      primaryClusterId: 'Kubernetes',
      reviewers: new Map([
        ['Kubernetes', { check }],
        ['east', { check: () => Promise.reject(new AuthError('token-rejected', 'east does not know it')) }],
      ]),
      revoked: ({ serialNumber }) => revoked.has(serialNumber),
    }).authenticate({ authorization: [], clusterIds: [], ...credentials });
  }

  async function certificate(options: FakeCertificateOptions = {}, identity = cart) {
    const issued = await ca.issue(identity, options);
    return { der: pemBodies(issued.certificateChainPem[0]!, 'CERTIFICATE')[0]!, serial: issued.serialNumber };
  }

  async function code(credentials: Partial<Credentials>): Promise<string> {
    const outcome = await authenticate(credentials).then(
      () => 'accepted',
      (error: unknown) => error,
    );
    expect(outcome).to.be.instanceOf(AuthError);
    return (outcome as AuthError).code;
  }

  it('takes a token of the primary cluster where the caller names none', async () => {
    for (const clusterIds of [[], [''], ['Kubernetes']]) {
      const caller = await authenticate({ authorization: ['Bearer good'], clusterIds });
      expect(caller.identity).to.deep.equal({
        trustDomain: 'cluster.local',
        namespace: 'shop',
        serviceAccount: 'till',
      });
      expect(caller.proof).to.equal('token');
      expect(caller.pod).to.deep.equal({ name: 'till-1', uid: 'u' });
      expect(caller.clusterId).to.equal(clusterIds[0] ?? '');
    }
  });

  it('has each cluster check its own tokens, and knows no others', async () => {
    expect(await code({ authorization: ['Bearer good'], clusterIds: ['east'] })).to.equal('token-rejected');
    expect(await code({ authorization: ['Bearer good'], clusterIds: ['west'] })).to.equal('unknown-cluster');
  });

  it('refuses calls without credentials, with garbage, and with headers sent twice', async () => {
    expect(await code({})).to.equal('no-credentials');
    expect(await code({ authorization: ['good'] })).to.equal('token-malformed');
    expect(await code({ authorization: ['Basic good'] })).to.equal('token-malformed');
    expect(await code({ authorization: ['Bearer good bad'] })).to.equal('token-malformed');
    expect(await code({ authorization: ['Bearer good', 'Bearer bad'] })).to.equal('token-malformed');
    expect(await code({ authorization: ['Bearer good'], clusterIds: ['a', 'b'] })).to.equal(
      'token-malformed',
    );
  });

  it('prefers a client certificate to a token', async () => {
    const { der } = await certificate();
    const caller = await authenticate({ certificate: der, authorization: ['Bearer good'] });
    expect(caller).to.deep.equal({ identity: cart, proof: 'certificate', clusterId: '' });
  });

  it('passes over a client certificate that names nobody, if there is a token', async () => {
    const { der } = await certificate({ uriSans: [] });
    expect((await authenticate({ certificate: der, authorization: ['Bearer good'] })).proof).to.equal(
      'token',
    );
  });

  const unusable: readonly (readonly [string, FakeCertificateOptions, Identity?])[] = [
    ['without a name', { uriSans: [] }],
    ['with two names', { uriSans: ['spiffe://cluster.local/ns/a/sa/b', 'spiffe://cluster.local/ns/c/sa/d'] }],
    ['with a name that is no workload', { uriSans: ['spiffe://cluster.local/shop'] }],
    [
      'with two names in one',
      { uriSans: ['spiffe://cluster.local/ns/a/sa/b,URI:spiffe://cluster.local/ns/c/sa/d'] },
    ],
    ['of a CA', { isCa: true }],
    ['for servers only', { extendedKeyUsages: ['1.3.6.1.5.5.7.3.1'] }],
    ['of a foreign trust domain', {}, { ...cart, trustDomain: 'evil.example' }],
  ];
  for (const [what, options, identity] of unusable)
    it(`refuses a certificate ${what}`, async () => {
      expect(await code({ certificate: (await certificate(options, identity)).der })).to.equal(
        'certificate-unusable',
      );
    });

  it('refuses a revoked certificate, and bytes that are none', async () => {
    const { der, serial } = await certificate();
    revoked = new Set([serial]);
    expect(await code({ certificate: der })).to.equal('certificate-unusable');
    expect(await code({ certificate: der.subarray(0, 50) })).to.equal('certificate-unusable');
    expect(await code({ certificate: new Uint8Array() })).to.equal('certificate-unusable');
  });
});
