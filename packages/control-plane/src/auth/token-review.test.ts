import { ManualClock } from '@ambient/runtime';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { AuthError } from './auth-error.ts';
import { parseServiceAccount, TokenReviewer } from './token-review.ts';
import type { TokenReviewerOptions, TokenReviewStatus } from './token-review.ts';

const clock = new ManualClock();

const good: TokenReviewStatus = {
  authenticated: true,
  audiences: ['istio-ca'],
  user: {
    username: 'system:serviceaccount:istio-system:ztunnel',
    extra: {
      'authentication.kubernetes.io/pod-name': ['ztunnel-x'],
      'authentication.kubernetes.io/pod-uid': ['uid-1'],
      'authentication.kubernetes.io/node-name': ['node-a'],
    },
  },
};

/** An unsigned JWT: what counts here is what it says of itself. */
function jwt(claims: object): string {
  const part = (value: object): string => Buffer.from(JSON.stringify(value)).toString('base64url');
  return `${part({ alg: 'none' })}.${part(claims)}.c2ln`;
}

async function refusal(promise: Promise<unknown>): Promise<AuthError> {
  const outcome = await promise.then(
    () => 'was accepted',
    (error: unknown) => error,
  );
  expect(outcome).to.be.instanceOf(AuthError);
  return outcome as AuthError;
}

describe('token review', () => {
  let asked: { token: string; audiences: readonly string[] }[];
  let answer: () => Promise<TokenReviewStatus>;

  beforeEach(() => {
    asked = [];
    answer = () => Promise.resolve(good);
  });

  function reviewer(options: Partial<TokenReviewerOptions> = {}): TokenReviewer {
    return new TokenReviewer({
      review: (token, audiences) => {
        asked.push({ token, audiences });
        return answer();
      },
      clock,
      ...options,
    });
  }

  it('names account, pod and node of an accepted token, and asks for audience istio-ca', async () => {
    expect(await reviewer().check('opaque')).to.deep.equal({
      namespace: 'istio-system',
      serviceAccount: 'ztunnel',
      pod: { name: 'ztunnel-x', uid: 'uid-1' },
      nodeName: 'node-a',
    });
    expect(asked).to.deep.equal([{ token: 'opaque', audiences: ['istio-ca'] }]);
  });

  const refused: readonly (readonly [string, TokenReviewStatus, string])[] = [
    ['forged', { authenticated: false, error: 'invalid signature' }, 'token-rejected'],
    ['expired', { error: 'token has expired' }, 'token-rejected'],
    ['of another audience', { ...good, audiences: ['api'] }, 'token-audience'],
    ['accepted by a server that knows no audiences', { ...good, audiences: undefined }, 'token-audience'],
    ['of a person', { ...good, user: { username: 'jane' } }, 'not-a-service-account'],
    ['of nobody', { ...good, user: undefined }, 'not-a-service-account'],
    [
      'of an account whose name would end in another path',
      { ...good, user: { username: 'system:serviceaccount:a:b/../c' } },
      'not-a-service-account',
    ],
  ];
  for (const [what, reply, code] of refused)
    it(`refuses a token that is ${what}`, async () => {
      answer = () => Promise.resolve(reply);
      const error = await refusal(reviewer().check('t'));
      expect(error.code).to.equal(code);
      expect(error.status).to.equal(status.UNAUTHENTICATED);
    });

  it('refuses a token for another audience and garbage without asking', async () => {
    const it = reviewer();
    expect((await refusal(it.check(jwt({ aud: ['api', 'vault'] })))).code).to.equal('token-audience');
    expect((await refusal(it.check(''))).code).to.equal('token-malformed');
    expect((await refusal(it.check('a b'))).code).to.equal('token-malformed');
    expect((await refusal(it.check('x'.repeat(20_000)))).code).to.equal('token-malformed');
    expect(asked).to.have.length(0);
  });

  it('asks again after a minute, or when the token expires before', async () => {
    const it = reviewer();
    const nowS = clock.nowMs() / 1000;
    const short = jwt({ aud: 'istio-ca', exp: nowS + 10 });
    const long = jwt({ aud: 'istio-ca', exp: nowS + 3600 });
    for (const token of [short, long, short, long]) await it.check(token);
    expect(asked).to.have.length(2);
    clock.advance(10_000);
    for (const token of [short, long]) await it.check(token);
    expect(asked.map(({ token }) => token)).to.deep.equal([short, long, short]);
    clock.advance(50_000);
    await it.check(long);
    expect(asked).to.have.length(4);
  });

  it('remembers a refusal for a short time', async () => {
    const it = reviewer();
    answer = () => Promise.resolve({ authenticated: false });
    await refusal(it.check('t'));
    await refusal(it.check('t'));
    expect(asked).to.have.length(1);
    answer = () => Promise.resolve(good);
    clock.advance(3_000);
    expect((await it.check('t')).serviceAccount).to.equal('ztunnel');
  });

  it('asks once for callers that come together', async () => {
    const it = reviewer();
    await Promise.all(Array.from({ length: 50 }, () => it.check('t')));
    expect(asked).to.have.length(1);
  });

  it('says unavailable, and remembers nothing, when the API server gives no answer', async () => {
    const it = reviewer();
    answer = () => Promise.reject(new Error('connect ECONNREFUSED'));
    const error = await refusal(it.check('secret-token'));
    expect(error.code).to.equal('token-review-unavailable');
    expect(error.status).to.equal(status.UNAVAILABLE);
    expect(error.message).to.not.include('secret-token');
    answer = () => Promise.resolve(good);
    expect((await it.check('secret-token')).namespace).to.equal('istio-system');
  });

  it('keeps a bounded number of tokens, and asks with bounded concurrency', async () => {
    const it = reviewer({ maxEntries: 3, maxConcurrent: 2, maxWaiting: 1 });
    for (const token of ['a', 'b', 'c', 'd']) await it.check(token);
    expect(it.cached).to.equal(3);
    const { promise, resolve } = Promise.withResolvers<TokenReviewStatus>();
    answer = () => promise;
    asked = [];
    const waiting = ['e', 'f', 'g'].map((token) => it.check(token));
    expect((await refusal(it.check('h'))).code).to.equal('token-review-unavailable');
    expect(asked.map(({ token }) => token)).to.deep.equal(['e', 'f']);
    resolve(good);
    await Promise.all(waiting);
    expect(asked.map(({ token }) => token)).to.deep.equal(['e', 'f', 'g']);
  });

  it('reads names of accounts as Kubernetes allows them', () => {
    expect(parseServiceAccount('system:serviceaccount:a-1:b.c')).to.deep.equal({
      namespace: 'a-1',
      serviceAccount: 'b.c',
    });
    for (const bad of [
      '',
      'system:serviceaccount:a',
      'system:serviceaccount:a:b:c',
      'system:serviceaccount:A:b',
      'system:serviceaccount:-a:b',
      'system:serviceaccount:a:',
      'x:system:serviceaccount:a:b',
      'system:node:a',
    ])
      expect(parseServiceAccount(bad), bad).to.equal(undefined);
  });
});
