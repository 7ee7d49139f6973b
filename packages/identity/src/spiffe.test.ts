import { expect } from 'chai';

import { formatSpiffe, internIdentity, parseSpiffe, principalOf } from './spiffe.ts';

describe('SPIFFE names', () => {
  const uri = 'spiffe://cluster.local/ns/shop/sa/cart';
  const identity = { trustDomain: 'cluster.local', namespace: 'shop', serviceAccount: 'cart' };

  it('are read and written in the one shape of Istio', () => {
    expect(parseSpiffe(uri)).to.deep.equal(identity);
    expect(formatSpiffe(identity)).to.equal(uri);
    expect(principalOf(identity)).to.equal('cluster.local/ns/shop/sa/cart');
  });

  for (const bad of [
    '',
    'spiffe://cluster.local',
    'spiffe://cluster.local/ns/shop',
    'spiffe://cluster.local/ns/shop/sa/',
    'spiffe://cluster.local/ns//sa/cart',
    'spiffe:///ns/shop/sa/cart',
    'spiffe://cluster.local/ns/shop/sa/cart/',
    'spiffe://cluster.local/ns/shop/sa/cart/x',
    'spiffe://cluster.local/sa/cart/ns/shop',
    'spiffe://cluster.local:80/ns/shop/sa/cart',
    'spiffe://me@cluster.local/ns/shop/sa/cart',
    'spiffe://cluster.local/ns/shop/sa/cart?x',
    'spiffe://cluster.local/ns/shop/sa/cart#x',
    'spiffe://cluster.local/ns/../sa/cart',
    'spiffe://cluster.local/ns/shop/sa/.',
    'spiffe://cluster.local/ns/sh%6fp/sa/cart',
    'spiffe://cluster.local/ns/shop/sa/cart\n',
    'spiffe://cluster.local/ns/shop/sa/cart,URI:spiffe://cluster.local/ns/shop/sa/admin',
    'SPIFFE://cluster.local/ns/shop/sa/cart',
    'https://cluster.local/ns/shop/sa/cart',
    ' spiffe://cluster.local/ns/shop/sa/cart',
  ])
    it(`refuse ${JSON.stringify(bad)}`, () => {
      expect(parseSpiffe(bad)).to.equal(undefined);
    });

  it('are interned to one frozen object', () => {
    const interned = internIdentity({ ...identity });
    expect(internIdentity({ ...identity })).to.equal(interned);
    expect(parseSpiffe(uri)).to.equal(interned);
    expect(interned).to.be.frozen;
    expect(formatSpiffe(interned)).to.equal(uri);
  });
});
