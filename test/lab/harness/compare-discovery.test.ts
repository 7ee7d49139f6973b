import { expect } from 'chai';

import { compareDiscovery } from './compare-discovery.ts';

const workload = { workload: { name: 'a', services: { 'x/y': { ports: [{ service_port: 80 }] } } } };

describe('comparison of discovery', () => {
  it('finds nothing in what is the same', () => {
    expect(compareDiscovery({ a: workload }, { a: structuredClone(workload) })).to.deep.equal([]);
  });

  it('names what is missing, and what is there beside it', () => {
    expect(compareDiscovery({ b: {} }, { a: {} })).to.deep.equal(['missing a', 'surplus b']);
  });

  it('names the field that differs, however deep, in maps and in lists', () => {
    const actual = structuredClone(workload);
    actual.workload.services['x/y'].ports[0]!.service_port = 81;
    expect(compareDiscovery({ a: actual }, { a: workload })).to.deep.equal([
      'differs a: workload.services.x/y.ports.0.service_port is 81, expected 80',
    ]);
  });

  it('tells a field that is absent from one that is too much', () => {
    expect(compareDiscovery({ a: { x: 1 } }, { a: { y: [1] } })).to.deep.equal([
      'differs a: x is 1, expected absent',
      'differs a: y is absent, expected [1]',
    ]);
  });

  it('compares lists of different lengths as a whole', () => {
    expect(compareDiscovery({ a: { x: [1, 2] } }, { a: { x: [1] } })).to.deep.equal([
      'differs a: x is [1,2], expected [1]',
    ]);
  });
});
