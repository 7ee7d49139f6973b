import { ValueError } from '@ambient/runtime';
import { status } from '@grpc/grpc-js';
import { expect } from 'chai';

import { AuthError } from './auth-error.ts';
import type { Caller } from './caller.ts';
import { NodeAuthorizer, parseTrustedAccounts } from './node-authorization.ts';
import type { PodFacts, PodLookup } from './node-authorization.ts';

const ztunnel: PodFacts = { uid: 'uid-1', serviceAccount: 'ztunnel', nodeName: 'node-a', phase: 'Running' };

const agent: Caller = {
  identity: { trustDomain: 'cluster.local', namespace: 'istio-system', serviceAccount: 'ztunnel' },
  proof: 'token',
  clusterId: 'Kubernetes',
  pod: { name: 'zt', uid: 'uid-1' },
  nodeName: 'node-a',
};

const cart = 'spiffe://cluster.local/ns/shop/sa/cart';

function pods(zt: PodFacts | undefined): PodLookup {
  return {
    podByName: (namespace, name) => (namespace === 'istio-system' && name === 'zt' ? zt : undefined),
    hasPodOnNode: (node, namespace, account) =>
      [node, namespace, account].join('/') === 'node-a/shop/cart' ||
      [node, namespace, account].join('/') === 'node-b/shop/paid',
  };
}

function authorize(
  caller: Caller,
  requested: string,
  zt: PodFacts | 'gone' = ztunnel,
  trusted: readonly string[] = ['istio-system/ztunnel'],
) {
  return new NodeAuthorizer({
    trustedAccounts: new Set(trusted),
    trustDomain: () => 'cluster.local',
    clusters: new Map([['Kubernetes', pods(zt === 'gone' ? undefined : zt)]]),
  }).authorize(caller, requested);
}

describe('node authorization', () => {
  it('lets a node agent act for a workload of its node, under a name made anew', () => {
    expect(authorize(agent, cart)).to.deep.equal({
      identity: { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' },
      nodeName: 'node-a',
    });
    // API servers before 1.30 do not name the node in tokens.
    expect(authorize({ ...agent, nodeName: undefined }, cart).nodeName).to.equal('node-a');
  });

  const refusals: readonly (readonly [string, Partial<Caller>, string, (PodFacts | 'gone')?, string[]?])[] = [
    ['a caller with a certificate', { proof: 'certificate' }, 'impersonation-by-certificate'],
    [
      'an account that is not trusted',
      { identity: { ...agent.identity, serviceAccount: 'default' } },
      'impersonation-untrusted',
    ],
    [
      'the trusted account of another namespace',
      { identity: { ...agent.identity, namespace: 'shop' } },
      'impersonation-untrusted',
    ],
    ['everybody while no account is trusted', {}, 'impersonation-untrusted', ztunnel, []],
    ['a token that is bound to no pod', { pod: undefined }, 'impersonation-unbound-token'],
    ['a token of a pod that is gone', {}, 'impersonation-stale-pod', 'gone'],
    [
      'a token of a pod whose name was taken by a successor',
      {},
      'impersonation-stale-pod',
      { ...ztunnel, uid: 'uid-2' },
    ],
    [
      'a pod that runs as another account',
      {},
      'impersonation-stale-pod',
      { ...ztunnel, serviceAccount: 'x' },
    ],
    ['a pod that has failed', {}, 'impersonation-stale-pod', { ...ztunnel, phase: 'Failed' }],
    ['a pod that has ended', {}, 'impersonation-stale-pod', { ...ztunnel, phase: 'Succeeded' }],
    ['a pod without a node', {}, 'impersonation-stale-pod', { ...ztunnel, nodeName: '' }],
    ['a token of another node than its pod', { nodeName: 'node-b' }, 'impersonation-stale-pod'],
    [
      'a node without such a pod',
      { nodeName: 'node-c' },
      'impersonation-node',
      { ...ztunnel, nodeName: 'node-c' },
    ],
    ['an unknown cluster', { clusterId: 'other' }, 'impersonation-cluster'],
    ['an empty cluster', { clusterId: '' }, 'impersonation-cluster'],
    ['a cluster in other letters', { clusterId: 'kubernetes' }, 'impersonation-cluster'],
  ];
  for (const [what, changes, code, zt = ztunnel, trusted] of refusals)
    it(`refuses ${what}`, () => {
      expectRefused(() => authorize({ ...agent, ...changes }, cart, zt, trusted), code);
    });

  it('reads the list of trusted accounts, and refuses one that cannot be right', () => {
    expect(Array.from(parseTrustedAccounts(' istio-system/ztunnel, a/b ,'))).to.deep.equal([
      'istio-system/ztunnel',
      'a/b',
    ]);
    expect(parseTrustedAccounts('').size).to.equal(0);
    for (const bad of ['ztunnel', 'a/b/c', '/b', 'a/', '*/ztunnel', 'a/b,A/b'])
      expect(() => parseTrustedAccounts(bad), bad).to.throw(ValueError, /NAMESPACE/);
  });

  it("refuses a workload of another node's", () => {
    expectRefused(() => authorize(agent, 'spiffe://cluster.local/ns/shop/sa/paid'), 'impersonation-node');
  });

  const malformed = [
    'spiffe://cluster.local/ns/shop/sa/cart,spiffe://cluster.local/ns/istio-system/sa/istiod',
    'spiffe://cluster.local/ns/shop/sa/cart,URI:spiffe://cluster.local/ns/a/sa/b',
    'spiffe://cluster.local/ns/shop/sa/cart\n',
    ' spiffe://cluster.local/ns/shop/sa/cart',
    'spiffe://cluster.local/ns/shop/sa/cart/',
    'spiffe://cluster.local/ns/shop/sa/cart?x',
    'spiffe://cluster.local/ns/shop/sa/%63art',
    'spiffe://cluster.local/ns/shop/sa/Cart',
    'spiffe://cluster.local/ns/shop/sa/..',
    'spiffe://cluster.local/ns//sa/cart',
    'spiffe://cluster.local:443/ns/shop/sa/cart',
    'spiffe://cluster.local/sa/cart/ns/shop',
    'SPIFFE://cluster.local/ns/shop/sa/cart',
    'https://cluster.local/ns/shop/sa/cart',
    'ns/shop/sa/cart',
    '\0',
    'x'.repeat(100_000),
  ];
  for (const requested of malformed)
    it(`refuses ${JSON.stringify(requested.slice(0, 100))}`, () => {
      const error = expectRefused(() => authorize(agent, requested), 'impersonation-malformed');
      expect(error.message.length).to.be.below(700);
    });

  it('refuses a foreign trust domain, which Istio does not look at', () => {
    expectRefused(
      () => authorize(agent, 'spiffe://evil.example/ns/shop/sa/cart'),
      'impersonation-trust-domain',
    );
  });

  function expectRefused(act: () => unknown, code: string): AuthError {
    let caught: unknown;
    try {
      act();
    } catch (error) {
      caught = error;
    }
    expect(caught).to.be.instanceOf(AuthError);
    const error = caught as AuthError;
    expect(error.code).to.equal(code);
    expect(error.status).to.equal(status.UNAUTHENTICATED);
    return error;
  }
});
