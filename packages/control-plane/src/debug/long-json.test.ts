import { PassThrough, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { expect } from 'chai';

import { jsonPieces, LongList, LongObject, writePieces } from './long-json.ts';

const asText = (value: unknown): string => [...jsonPieces(value)].join('');

describe('long JSON', () => {
  for (const [title, value, same] of [
    ['a plain value', { a: [1, 'x', null] }, { a: [1, 'x', null] }],
    ['an empty list', new LongList([]), []],
    ['an empty object', new LongObject([]), {}],
    ['a list with entries left out', new LongList([undefined, 1, undefined, { a: 2 }]), [1, { a: 2 }]],
    [
      'lists in objects in objects',
      new LongObject([
        ['a', new LongList([1, 2])],
        ['gone', undefined],
        ['b', new LongObject([['c', new LongList([])]])],
      ]),
      { a: [1, 2], b: { c: [] } },
    ],
    ['objects in lists', new LongList([new LongObject([['a', 1]]), new LongList([])]), [{ a: 1 }, []]],
    ['what JSON has no word for', undefined, null],
  ] as const)
    it(`of ${title} is what JSON.stringify makes of the short form`, () => {
      expect(asText(value)).equal(JSON.stringify(same, undefined, 2));
    });

  it('makes an entry when it is its turn', () => {
    const made: number[] = [];
    function* items(): Generator<number> {
      for (let i = 0; ; i++) {
        made.push(i);
        yield i;
      }
    }
    const pieces = jsonPieces(new LongList(items()));
    for (let i = 0; i < 4; i++) pieces.next();
    expect(made).deep.equal([0, 1, 2]);
  });
});

describe('writing long JSON', () => {
  it('lets the event loop turn after each slice', async () => {
    let nowMs = 0;
    let turns = 0;
    function* pieces(): Generator<string> {
      for (let i = 0; i < 100; i++) {
        nowMs += 2;
        yield `${i};`;
      }
    }
    const out = new PassThrough();
    const read = text(out);
    await writePieces(out, pieces(), {
      sliceMs: 10,
      nowMs: () => nowMs,
      yieldTurn: () => Promise.resolve(void turns++),
    });
    out.end();
    expect((await read).split(';').length).equal(101);
    expect(turns).equal(20);
  });

  it('lets it turn also while a reader takes all at once', async () => {
    let turned = false;
    setImmediate(() => (turned = true));
    let made = 0;
    function* pieces(): Generator<string> {
      while (!turned && made < 1000) {
        made++;
        yield 'x'.repeat(1000);
      }
    }
    const out = new Writable({ highWaterMark: 10, write: (_chunk, _encoding, done) => done() });
    let nowMs = 0;
    await writePieces(out, pieces(), { sliceMs: 5, nowMs: () => (nowMs += 10) });
    expect(made).lessThan(10);
  });

  it('makes nothing more while the reader takes nothing, and ends when it is gone', async () => {
    let made = 0;
    function* pieces(): Generator<string> {
      for (;;) {
        made++;
        yield 'x'.repeat(1000);
      }
    }
    let taken: (() => void) | undefined;
    const out = new Writable({
      highWaterMark: 10_000,
      write: (_chunk, _encoding, done) => {
        taken = done;
      },
    });
    let nowMs = 0;
    const writing = writePieces(out, pieces(), { sliceMs: 100, nowMs: () => (nowMs += 10) });
    await Promise.resolve();
    const before = made;
    taken!();
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    const after = made;
    for (let turns = 0; turns < 5; turns++) await new Promise((resolve) => setImmediate(resolve));
    expect([made, after > before]).deep.equal([after, true]);
    out.destroy();
    await writing;
    expect(out.listenerCount('drain') + out.listenerCount('close')).equal(0);
  });
});
