import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { Worker } from 'node:worker_threads';
import { keepEach, requestTimeSlice } from './scheduling.ts';

describe('requestTimeSlice', () => {
  it('is taken for an ordinary thread, and leaves its policy and niceness alone', () => {
    const niceness = (): string =>
      readFileSync('/proc/thread-self/stat', 'utf8').split(' ').slice(17, 19).join(' ');
    const before = niceness();
    expect(requestTimeSlice(3_000_000)).to.equal(true);
    expect(niceness()).to.equal(before);
  });
});

describe('keepEach', () => {
  const kept = (mask: readonly number[], index: number, of: number): number[] | undefined => {
    const bytes = Uint8Array.from(mask);
    return keepEach(bytes, index, of) ? [...bytes] : undefined;
  };

  it('divides the CPUs between siblings, none to two of them and none left out', () => {
    expect([kept([0b1111], 0, 2), kept([0b1111], 1, 2)]).deep.equal([[0b0101], [0b1010]]);
    expect([0, 1, 2].map((index) => kept([0b11111], index, 3)![0])).deep.equal([0b01001, 0b10010, 0b00100]);
  });

  it('counts only CPUs that may be used, whatever their numbers', () => {
    expect([kept([0b1000_0010, 0b1], 0, 2), kept([0b1000_0010, 0b1], 1, 2)]).deep.equal([
      [0b0000_0010, 0b1],
      [0b1000_0000, 0],
    ]);
  });

  it('leaves all to everybody when there are too few', () => {
    const mask = Uint8Array.of(0b101);
    expect([keepEach(mask, 0, 3), ...mask]).deep.equal([false, 0b101]);
  });
});

describe('keepApart', () => {
  const allowed = (): string =>
    /^Cpus_allowed:\s*(\S+)/m.exec(readFileSync('/proc/thread-self/status', 'utf8'))![1]!;

  it('is for the calling thread alone', async () => {
    const before = allowed();
    const source = `
      const { readFileSync } = require('node:fs');
      const { parentPort } = require('node:worker_threads');
      import(${JSON.stringify(new URL('scheduling.ts', import.meta.url).href)}).then(({ keepApart }) => {
        const done = [keepApart(0, 2), keepApart(0, 4096)];
        parentPort.postMessage([...done, readFileSync('/proc/thread-self/status', 'utf8')]);
      });`;
    const { promise, resolve } = Promise.withResolvers<[boolean, boolean, string]>();
    new Worker(source, { eval: true }).once('message', resolve);
    const [kept, keptOfMany, status] = await promise;
    const bits = (hex: string): number =>
      [...hex.replaceAll(',', '')].reduce(
        (sum, digit) => sum + [...parseInt(digit, 16).toString(2)].filter((bit) => bit === '1').length,
        0,
      );
    const left = bits(/^Cpus_allowed:\s*(\S+)/m.exec(status)![1]!);
    expect([kept, keptOfMany, left]).deep.equal([bits(before) > 1, false, Math.ceil(bits(before) / 2)]);
    expect(allowed()).equal(before);
  });
});
