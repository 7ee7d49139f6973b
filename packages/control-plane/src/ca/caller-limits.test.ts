import { expect } from 'chai';

import { CallerLimits } from './caller-limits.ts';

const limit = { burst: 3, perSecond: 2 };

describe('limits of callers', () => {
  it('let a burst through, then the steady rate, and say how long to wait', () => {
    const limits = new CallerLimits();
    expect([0, 0, 0, 0].map((at) => limits.take('a', limit, at))).to.deep.equal([0, 0, 0, 500]);
    expect(limits.take('a', limit, 250)).to.equal(250);
    expect(limits.take('a', limit, 500)).to.equal(0);
    expect(limits.take('a', limit, 500)).to.equal(500);
    // After a long quiet time no more than a burst.
    expect([1, 2, 3, 4].map(() => limits.take('a', limit, 1e9))).to.deep.equal([0, 0, 0, 500]);
  });

  it('are each caller its own', () => {
    const limits = new CallerLimits();
    for (let i = 0; i < 4; i++) limits.take('a', limit, 0);
    expect(limits.take('b', limit, 0)).to.equal(0);
  });

  it('give nothing to a clock that is set back', () => {
    const limits = new CallerLimits();
    for (let i = 0; i < 3; i++) limits.take('a', limit, 10_000);
    expect(limits.take('a', limit, 0)).to.equal(500);
  });

  it('remember a bounded number of callers', () => {
    const limits = new CallerLimits(2);
    for (const caller of ['a', 'b', 'a', 'c']) limits.take(caller, { burst: 1, perSecond: 1 }, 0);
    expect(limits.callers).to.equal(2);
    // b was not used for longest.
    expect(limits.take('a', { burst: 1, perSecond: 1 }, 0)).to.be.above(0);
    expect(limits.take('b', { burst: 1, perSecond: 1 }, 0)).to.equal(0);
  });
});
