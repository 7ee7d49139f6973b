import { expect } from 'chai';

import { AddressPlan } from './address-plan.ts';
import {
  addressIn,
  canonicalAddress,
  formatAddress,
  formatPrefix,
  parseAddress,
  parsePrefix,
  subnetOf,
} from './addresses.ts';
import { LabNetworkError } from './errors.ts';

describe('addresses of the lab', () => {
  it('are numbers and text, of both families', () => {
    expect(parseAddress('10.244.1.2')).to.equal(0x0af40102n);
    expect(formatAddress('v4', 0xffffffffn)).to.equal('255.255.255.255');
    expect(parseAddress('::')).to.equal(0n);
    expect(parseAddress('fd44:0:0:1::2')).to.equal(0xfd440000000000010000000000000002n);
    expect(canonicalAddress('FD44:0:0:1:0:0:0:2')).to.equal('fd44:0:0:1::2');
    expect(canonicalAddress('::ffff:10.0.0.1')).to.equal('::ffff:a00:1');
  });

  it('are divided', () => {
    const pods = parsePrefix('10.244.7.9/16');
    expect(formatPrefix(pods)).to.equal('10.244.0.0/16');
    expect(formatPrefix(subnetOf(pods, 24, 3n))).to.equal('10.244.3.0/24');
    expect(addressIn(subnetOf(pods, 24, 3n), 255n)).to.equal('10.244.3.255');
    expect(() => subnetOf(pods, 24, 256n)).to.throw(LabNetworkError, /choose a shorter prefix/);
    expect(() => addressIn(parsePrefix('10.0.0.0/30'), 4n)).to.throw(LabNetworkError);
  });

  for (const text of [
    '',
    '10.0.0.0',
    '10.0.0.0/33',
    '10.0.0.0/-1',
    '10.0.0/8',
    'fd44::/129',
    'x/8',
    '10.0.0.0/8/8',
  ])
    it(`refuses ${JSON.stringify(text)} for a prefix`, () => {
      expect(() => parsePrefix(text)).to.throw(LabNetworkError);
    });

  it('are planned as the lab documents them', () => {
    const plan = new AddressPlan();
    expect(plan.bridgeAddresses).to.eql(['172.30.0.1/24', 'fd30::1/64']);
    expect(plan.nodeAddresses(1)).to.eql(['172.30.0.11/24', 'fd30::11/64']);
    expect(plan.nodeAddresses(12)).to.eql(['172.30.0.22/24', 'fd30::22/64']);
    expect(plan.podPrefixesOf(2)).to.eql(['10.244.2.0/24', 'fd44:0:0:2::/64']);
    expect(plan.podPrefixes).to.eql(['10.244.0.0/16', 'fd44::/48']);
    expect(new AddressPlan({ ipv6: false, podsPerNode4: 22 }).podPrefixesOf(2)).to.eql(['10.244.8.0/22']);
  });
});
