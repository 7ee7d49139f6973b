import { expect } from 'chai';
import { readFileSync } from 'node:fs';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { trimHeaps } from './heap.ts';

const anonymousBytes = (): number =>
  Number(/^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'latin1'))?.[1]) * 1024;

describe('trimHeaps', () => {
  it('gives back what the C library would keep', async () => {
    setFlagsFromString('--expose-gc');
    const collect = runInNewContext('gc') as () => void;
    // Below what the library maps apart, and one of them stays at the end of the heap.
    let blocks = Array.from({ length: 1500 }, () => Buffer.alloc(60_000, 1));
    const last = blocks.at(-1);
    blocks = [];
    for (let round = 0; round < 3; round++) {
      collect();
      await new Promise<void>((resolve) => setImmediate(resolve));
    }
    const kept = anonymousBytes();
    trimHeaps();
    expect(kept - anonymousBytes()).above(40_000_000);
    expect(last).length(60_000);
  });
});
