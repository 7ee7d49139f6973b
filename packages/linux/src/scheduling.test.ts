import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { requestTimeSlice } from './scheduling.ts';

describe('requestTimeSlice', () => {
  it('is taken for an ordinary thread, and leaves its policy and niceness alone', () => {
    const niceness = (): string =>
      readFileSync('/proc/thread-self/stat', 'utf8').split(' ').slice(17, 19).join(' ');
    const before = niceness();
    expect(requestTimeSlice(3_000_000)).to.equal(true);
    expect(niceness()).to.equal(before);
  });
});
