import { expect } from 'chai';
import { ReadPace } from './read-pace.ts';

describe('ReadPace', () => {
  /** Reads until the pace is steady, of a stream that costs `msPerByte` and has no end. */
  function settle(pace: ReadPace, msPerByte: number): number {
    for (let i = 0; i < 20; i++) pace.onRead(pace.bytes, pace.bytes * msPerByte);
    return pace.bytes;
  }

  it('bulk is read in pieces of a tenth of a millisecond', () => {
    expect(settle(new ReadPace(), 1e-6)).to.be.within(90_000, 110_000);
  });

  it('of requests that each open a tunnel no more than some are read at once', () => {
    const msPerByte = 0.06 / 300; // 60 us for 300 bytes of CONNECT
    expect(settle(new ReadPace(), msPerByte)).to.equal(1024);
  });

  it('goes from one to the other within a few reads', () => {
    const pace = new ReadPace();
    settle(pace, 0.06 / 300);
    for (let i = 0; i < 4; i++) pace.onRead(pace.bytes, pace.bytes * 1e-6);
    expect(pace.bytes).to.be.above(64 * 1024);
  });

  it('one read that was held up does not decide alone', () => {
    const pace = new ReadPace();
    const before = settle(pace, 1e-6);
    pace.onRead(before, 50);
    expect(pace.bytes).to.be.within(before / 5, before / 3);
  });

  it('a small answer that was quick says nothing of large ones, and one that was slow does', () => {
    const pace = new ReadPace();
    const before = pace.bytes;
    pace.onRead(100, 0.02);
    expect(pace.bytes).to.equal(before);
    pace.onRead(300, 0.6);
    expect(pace.bytes).to.be.below(before);
  });
});
