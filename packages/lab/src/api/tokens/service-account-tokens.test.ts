import { createPublicKey, verify } from 'node:crypto';

import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { ServiceAccountTokens } from './service-account-tokens.ts';
import type { TokenOrder } from './service-account-tokens.ts';
import { SigningKey } from './signing-key.ts';
import { TokenError } from './token-error.ts';
import { tokenRequestProblems } from './token-request.ts';

const key = SigningKey.generate();
const otherKey = SigningKey.generate();
const order: TokenOrder = {
  namespace: 'shop',
  name: 'checkout',
  uid: 'sa-1',
  audiences: ['istio-ca', 'vault'],
  boundPod: { name: 'checkout-0', uid: 'pod-1', node: { name: 'n1', uid: 'node-1' } },
};

function setup(signing = key) {
  const clock = new ManualClock(1_700_000_000_000);
  const uids = new Map([
    ['ServiceAccount/shop/checkout', 'sa-1'],
    ['Pod/shop/checkout-0', 'pod-1'],
    ['Node//n1', 'node-1'],
  ]);
  const tokens = new ServiceAccountTokens({
    issuer: 'https://kubernetes.default.svc',
    apiAudiences: ['https://kubernetes.default.svc'],
    key: signing,
    clock,
    uidOf: (kind, namespace, name) => uids.get(`${kind}/${namespace}/${name}`),
  });
  return { clock, uids, tokens };
}

function claimsOf(token: string): Record<string, unknown> {
  return JSON.parse(Buffer.from(token.split('.')[1]!, 'base64url').toString()) as Record<string, unknown>;
}

/** The same token with other claims or another header, and the old signature. */
function forge(token: string, claims: object, header?: object): string {
  const [head, , signature] = token.split('.');
  const encode = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  const newHead = header === undefined ? head : encode(header);
  return `${newHead}.${encode({ ...claimsOf(token), ...claims })}.${signature}`;
}

describe('service-account tokens', () => {
  it('say who asked, from which pod and node, and for which of the audiences', () => {
    const { tokens } = setup();
    const { token, expirationTimestamp } = tokens.issue(order);
    expect(expirationTimestamp).to.equal('2023-11-14T23:13:20Z');
    const status = tokens.review(token, ['istio-ca', 'other']);
    if (!status.authenticated) return expect.fail(status.error);
    expect(status.audiences).to.deep.equal(['istio-ca']);
    expect(status.user.username).to.equal('system:serviceaccount:shop:checkout');
    expect(status.user.uid).to.equal('sa-1');
    expect(status.user.groups).to.deep.equal([
      'system:serviceaccounts',
      'system:serviceaccounts:shop',
      'system:authenticated',
    ]);
    expect(status.user.extra).to.deep.include({
      'authentication.kubernetes.io/pod-name': ['checkout-0'],
      'authentication.kubernetes.io/pod-uid': ['pod-1'],
      'authentication.kubernetes.io/node-name': ['n1'],
      'authentication.kubernetes.io/node-uid': ['node-1'],
    });
  });

  it('are JWTs that anyone with the published key can check', () => {
    const { tokens } = setup();
    const { token } = tokens.issue({ ...order, expirationSeconds: 7200 });
    const [head = '', payload = '', signature = ''] = token.split('.');
    const [jwk] = tokens.jwks().keys;
    const header = JSON.parse(Buffer.from(head, 'base64url').toString()) as unknown;
    expect(header).to.deep.equal({ alg: 'RS256', kid: jwk?.kid });
    const publicKey = createPublicKey({ key: { ...jwk! }, format: 'jwk' });
    const good = verify(
      'sha256',
      Buffer.from(`${head}.${payload}`),
      publicKey,
      Buffer.from(signature, 'base64url'),
    );
    expect(good).to.equal(true);
    expect(claimsOf(token)).to.deep.include({
      iss: 'https://kubernetes.default.svc',
      sub: 'system:serviceaccount:shop:checkout',
      aud: ['istio-ca', 'vault'],
      iat: 1_700_000_000,
      nbf: 1_700_000_000,
      exp: 1_700_007_200,
      'kubernetes.io': {
        namespace: 'shop',
        serviceaccount: { name: 'checkout', uid: 'sa-1' },
        pod: { name: 'checkout-0', uid: 'pod-1' },
        node: { name: 'n1', uid: 'node-1' },
      },
    });
    expect(tokens.openIdConfiguration()).to.deep.include({
      issuer: 'https://kubernetes.default.svc',
      jwks_uri: 'https://kubernetes.default.svc/openid/v1/jwks',
    });
  });

  it('are for the API itself unless audiences are named, on both sides', () => {
    const { tokens } = setup();
    const { token } = tokens.issue({ namespace: 'shop', name: 'checkout', uid: 'sa-1' });
    expect(tokens.authenticate(token).audiences).to.deep.equal(['https://kubernetes.default.svc']);
  });

  it('survive a restart with the key kept on disk', () => {
    const { token } = setup().tokens.issue(order);
    const again = setup(SigningKey.fromPem(key.toPem())).tokens;
    expect(again.review(token, ['vault']).authenticated).to.equal(true);
  });

  const refused: readonly [
    string,
    TokenError['code'],
    (made: ReturnType<typeof setup>, token: string) => string,
  ][] = [
    ['an expired one', 'token-expired', ({ clock }, token) => (clock.advance(3601_000), token)],
    [
      'one from the future',
      'token-not-yet-valid',
      () => {
        const ahead = setup();
        ahead.clock.advance(120_000);
        return ahead.tokens.issue(order).token;
      },
    ],
    ['claims changed under the signature', 'token-signature', (_, token) => forge(token, { sub: 'x' })],
    [
      'alg none',
      'token-signature',
      (_, token) => `${forge(token, {}, { alg: 'none' }).split('.').slice(0, 2).join('.')}.`,
    ],
    [
      'HS256 under the public key',
      'token-signature',
      (_, token) => forge(token, {}, { alg: 'HS256', kid: key.id }),
    ],
    ['another key', 'token-signature', () => setup(otherKey).tokens.issue(order).token],
    ['another issuer', 'token-foreign-issuer', (_, token) => forge(token, { iss: 'https://evil.example' })],
    ['no JWT', 'token-malformed', () => 'not-a-token'],
    ['parts that are not JSON', 'token-malformed', () => 'e30.!!!.x'],
    ['no Kubernetes claims', 'token-malformed', (_, token) => forge(token, { 'kubernetes.io': 7 })],
    ['a megabyte', 'token-malformed', () => 'a'.repeat(1 << 20)],
    [
      'the account deleted',
      'token-account-gone',
      ({ uids }, token) => (uids.delete('ServiceAccount/shop/checkout'), token),
    ],
    [
      'the account made anew',
      'token-account-gone',
      ({ uids }, token) => (uids.set('ServiceAccount/shop/checkout', 'sa-2'), token),
    ],
    [
      'the pod gone',
      'token-bound-object-gone',
      ({ uids }, token) => (uids.delete('Pod/shop/checkout-0'), token),
    ],
    [
      'a pod of the same name',
      'token-bound-object-gone',
      ({ uids }, token) => (uids.set('Pod/shop/checkout-0', 'pod-2'), token),
    ],
  ];
  for (const [what, code, prepare] of refused)
    it(`are refused: ${what}`, () => {
      const made = setup();
      const token = prepare(made, made.tokens.issue(order).token);
      expect(() => made.tokens.authenticate(token, ['istio-ca']))
        .to.throw(TokenError)
        .with.property('code', code);
      expect(made.tokens.review(token, ['istio-ca'])).to.have.property('authenticated', false);
    });

  it('are refused for an audience that they do not name, in the words of an API server', () => {
    const { tokens } = setup();
    expect(tokens.review(tokens.issue(order).token, ['other'])).to.deep.equal({
      authenticated: false,
      error: 'token audiences ["istio-ca" "vault"] is invalid for the target audiences ["other"]',
    });
  });

  it('a node-bound one ends with the node', () => {
    const { tokens, uids } = setup();
    const { token } = tokens.issue({
      namespace: 'shop',
      name: 'checkout',
      uid: 'sa-1',
      audiences: ['vault'],
      boundNode: { name: 'n1', uid: 'node-1' },
    });
    expect(tokens.review(token, ['vault']).authenticated).to.equal(true);
    uids.delete('Node//n1');
    expect(tokens.review(token, ['vault']).authenticated).to.equal(false);
  });

  it('a key that is none is refused with the remedy', () => {
    expect(() => SigningKey.fromPem('nonsense')).to.throw(TokenError, 'delete its file');
  });
});

describe('requests for tokens', () => {
  it('are refused by field', () => {
    expect(
      tokenRequestProblems({ expirationSeconds: 5, boundObjectRef: { kind: 'Job' } }).map(({ path }) => path),
    ).to.deep.equal(['spec.expirationSeconds', 'spec.boundObjectRef.kind', 'spec.boundObjectRef.name']);
    expect(
      tokenRequestProblems({ expirationSeconds: 3600, boundObjectRef: { kind: 'Pod', name: 'a' } }),
    ).to.deep.equal([]);
    expect(tokenRequestProblems(undefined)).to.deep.equal([]);
  });
});
