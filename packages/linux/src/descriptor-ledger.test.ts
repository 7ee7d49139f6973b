import { expect } from 'chai';
import { DescriptorLedger } from './descriptor-ledger.ts';

describe('DescriptorLedger', () => {
  it('tells from another thread what is open, once', () => {
    const own = new DescriptorLedger();
    for (const fd of [5, 7, 4096, 9]) own.opened(fd);
    own.closing(7);
    const other = new DescriptorLedger(own.shared);
    expect(other.takeAll()).to.deep.equal([5, 9, 4096]);
    expect(other.takeAll()).to.deep.equal([]);
    own.opened(7);
    expect(other.takeAll()).to.deep.equal([7]);
  });

  it('leaves out a number that no process has', () => {
    const own = new DescriptorLedger();
    own.opened(2 ** 30);
    expect(own.takeAll()).to.deep.equal([]);
  });
});
