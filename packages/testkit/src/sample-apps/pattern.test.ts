import { expect } from 'chai';
import { PatternCheck, patternAt } from './pattern.ts';

/** The stream's first bytes, in one piece. */
function stream(bytes: number): Buffer {
  const pieces: Buffer[] = [];
  for (let at = 0; at < bytes;) {
    const piece = patternAt(at, bytes - at);
    pieces.push(piece);
    at += piece.length;
  }
  return Buffer.concat(pieces);
}

describe('self-proving stream', () => {
  const bytes = stream(3_000_000);

  it('accepts its own bytes however they are cut', () => {
    for (const size of [1000, 65_536, 1_048_583, 3_000_000]) {
      const check = new PatternCheck();
      for (let at = 0; at < bytes.length; at += size) check.accept(bytes.subarray(at, at + size));
      expect(check).to.include({ received: 3_000_000, mismatchAt: undefined });
    }
  });

  it('names the first wrong byte', () => {
    const broken = Buffer.from(bytes);
    broken[2_345_678]! ^= 1;
    const check = new PatternCheck();
    for (let at = 0; at < broken.length; at += 65_536) check.accept(broken.subarray(at, at + 65_536));
    expect(check.mismatchAt).to.equal(2_345_678);
  });

  it('notices a piece that is lost, doubled or exchanged', () => {
    const [first, second] = [bytes.subarray(0, 65_536), bytes.subarray(65_536, 131_072)];
    for (const wrong of [[second], [first, first], [second, first]]) {
      const check = new PatternCheck();
      for (const piece of wrong) check.accept(piece);
      expect(check.mismatchAt).to.be.a('number');
    }
  });
});
