import { expect } from 'chai';
import fc from 'fast-check';
import { fuzzBudget } from './fuzz-budget.ts';

describe('fuzzBudget', () => {
  it('is small when nothing is asked for', () => {
    expect(fuzzBudget(undefined).interruptAfterTimeLimit).to.be.at.most(1000);
  });

  it('is the time that is asked for, whatever the number of cases', () => {
    expect(fuzzBudget('60').interruptAfterTimeLimit).to.equal(60_000);
    expect(fuzzBudget('60').numRuns).to.be.above(1e9);
  });

  it('refuses what is no positive number', () => {
    for (const text of ['', '0', '-1', 'long', 'Infinity'])
      expect(() => fuzzBudget(text)).to.throw(RangeError);
  });

  it('ends a search in time without failing it [fuzz]', () => {
    let cases = 0;
    fc.assert(
      fc.property(fc.nat(), () => {
        cases += 1;
      }),
      fuzzBudget('0.02'),
    );
    expect(cases).to.be.above(0);
  });

  it('lets a found counterexample fail the test [fuzz]', () => {
    const search = (): void => {
      fc.assert(
        fc.property(fc.nat({ max: 1 }), (n) => n === 0),
        fuzzBudget(undefined),
      );
    };
    expect(search).to.throw(/Property failed/);
  });
});
