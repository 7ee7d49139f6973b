import { expect } from 'chai';
import fc from 'fast-check';
import { damagedBytes, damagedText } from './mutation.ts';

describe('damaged input', () => {
  it('is the valid one now and then, and more often one that is close to it', () => {
    const valid = Buffer.from('0123456789'.repeat(20));
    const samples = fc.sample(damagedBytes(fc.constant(valid)), { numRuns: 500, seed: 1 });
    expect(samples.filter((bytes) => bytes.equals(valid)).length).to.be.within(10, 250);
    const close = samples.filter((bytes) => Math.abs(bytes.length - valid.length) < 20);
    expect(close.length).to.be.above(150);
    expect(new Set(samples.map((bytes) => bytes.toString('hex'))).size).to.be.above(250);
  });

  it('leaves the valid bytes as they are', () => {
    const valid = Buffer.from('0123456789');
    fc.sample(damagedBytes(fc.constant(valid)), { numRuns: 200, seed: 2 });
    expect(valid.toString()).to.equal('0123456789');
  });

  it('can be made of nothing', () => {
    const samples = fc.sample(damagedBytes(fc.constant(new Uint8Array(0))), { numRuns: 200, seed: 3 });
    expect(samples.some((bytes) => bytes.length > 0)).to.equal(true);
    const texts = fc.sample(damagedText(fc.constant(''), ['x']), { numRuns: 200, seed: 3 });
    expect(texts).to.include('x');
  });

  it('holds words of the dictionary', () => {
    const texts = fc.sample(damagedText(fc.constant('key: value'), ['!!int', '{']), {
      numRuns: 200,
      seed: 4,
    });
    expect(texts.some((text) => text.includes('!!int') && text.includes('value'))).to.equal(true);
  });
});
