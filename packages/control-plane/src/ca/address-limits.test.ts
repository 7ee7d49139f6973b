import { expect } from 'chai';

import { addressOf, AddressLimits } from './address-limits.ts';

const limit = { burst: 2, perSecond: 1 };

describe('limits of addresses that prove nothing', () => {
  it('let a burst through, whatever the port, and tell the first refusal from the others', () => {
    const limits = new AddressLimits(limit);
    const outcomes = [1, 2, 3, 4].map((port) => limits.admit(`10.0.0.1:${port}`, 0));
    expect(outcomes).to.deep.equal([
      { kind: 'admitted' },
      { kind: 'admitted' },
      { kind: 'refused', waitMs: 1000, first: true },
      { kind: 'refused', waitMs: 1000, first: false },
    ]);
    expect(limits.admit('10.0.0.2:1', 0).kind, 'another address').to.equal('admitted');
    expect(limits.admit('10.0.0.1:1', 1000).kind, 'later').to.equal('admitted');
    expect(limits.admit('10.0.0.1:1', 1000)).to.include({ kind: 'refused', first: true });
  });

  it('do not count calls that proved themselves, however many share the address', () => {
    const limits = new AddressLimits(limit);
    for (let i = 0; i < 1000; i++) {
      expect(limits.admit('10.0.0.1:1', 0).kind).to.equal('admitted');
      limits.giveBack('10.0.0.1:1');
    }
    limits.giveBack('10.0.0.1:1');
    expect([1, 2, 3].map(() => limits.admit('10.0.0.1:1', 0).kind)).to.deep.equal([
      'admitted',
      'admitted',
      'refused',
    ]);
  });

  it('are bounded in memory', () => {
    const limits = new AddressLimits({ burst: 1, perSecond: 0.001 }, 10);
    for (let i = 0; i < 100; i++) for (let n = 0; n < 2; n++) limits.admit(`10.0.${i}.1:1`, 0);
    expect(limits.admit('10.0.99.1:1', 0).kind).to.equal('refused');
    expect(limits.admit('10.0.0.1:1', 0).kind, 'forgotten').to.equal('admitted');
  });

  for (const [peer, address] of [
    ['10.1.2.3:4567', '10.1.2.3'],
    ['[::ffff:10.1.2.3]:4567', '10.1.2.3'],
    ['::ffff:10.1.2.3:4567', '10.1.2.3'],
    ['[2001:db8:1:2:3:4:5:6]:4567', '2001:db8:1:2::/64'],
    ['[2001:0DB8:1:2::9]:4567', '2001:db8:1:2::/64'],
    ['[2001:db8::9]:4567', '2001:db8:0:0::/64'],
    ['[::1]:4567', '0:0:0:0::/64'],
    ['unknown', 'unknown'],
    ['', ''],
  ] as const)
    it(`name ${JSON.stringify(peer)} by ${JSON.stringify(address)}`, () =>
      expect(addressOf(peer)).to.equal(address));
});
