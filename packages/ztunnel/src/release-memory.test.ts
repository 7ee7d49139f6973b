import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';
import { MemoryRelease, releaseAfterReading } from './release-memory.ts';

describe('MemoryRelease', () => {
  it('collects once, some seconds after the first mesh', () => {
    const clock = new ManualClock(0);
    let collected = 0;
    const release = new MemoryRelease(clock, () => void collected++);
    clock.advance(20_000);
    expect(collected).equal(0);
    release.soon();
    release.soon();
    clock.advance(9999);
    expect(collected).equal(0);
    clock.advance(1);
    clock.advance(20_000);
    expect(collected).equal(1);
  });

  it('does not when the proxy ends before', () => {
    const clock = new ManualClock(0);
    const release = new MemoryRelease(clock, () => expect.fail('collected'));
    release.soon();
    release[Symbol.dispose]();
    clock.advance(20_000);
  });
});

describe('releaseAfterReading', () => {
  it('collects after a large mesh, and does not hold up a start with a small one', () => {
    let collected = 0;
    const collect = (): void => void collected++;
    releaseAfterReading(4999, collect);
    expect(collected).equal(0);
    releaseAfterReading(5000, collect);
    expect(collected).equal(1);
  });
});
