import { expect } from 'chai';

import { NodePorts } from './node-ports.ts';
import { ServiceAddresses } from './service-addresses.ts';

describe('NodePorts', () => {
  it('are given out once for each protocol, and again when they are free', () => {
    const ports = new NodePorts();
    expect([ports.allocate('TCP', 'a/x'), ports.allocate('TCP', 'a/y')]).to.deep.equal([30_000, 30_001]);
    ports.take(30_002, 'TCP', 'a/z');
    expect(ports.allocate('TCP', 'a/w')).to.equal(30_003);
    expect(ports.ownerOf(30_002, 'UDP')).to.equal(undefined);
    ports.release(30_000, 'TCP', 'a/y');
    expect(ports.ownerOf(30_000, 'TCP')).to.equal('a/x');
    ports.release(30_000, 'TCP', 'a/x');
    expect(ports.ownerOf(30_000, 'TCP')).to.equal(undefined);
  });

  it('end', () => {
    const ports = new NodePorts();
    for (let port = 30_000; port <= 32_767; port++) ports.take(port, 'TCP', 'a/x');
    expect(ports.allocate('TCP', 'a/y')).to.equal(undefined);
  });
});

describe('ServiceAddresses', () => {
  it('leave the first ones to those who ask for them by name', () => {
    const addresses = new ServiceAddresses();
    expect([addresses.allocate('IPv4', 'a/x'), addresses.allocate('IPv6', 'a/x')]).to.deep.equal([
      '10.96.1.0',
      'fd96::100',
    ]);
  });
});
