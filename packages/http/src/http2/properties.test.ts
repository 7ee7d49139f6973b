import { expect } from 'chai';
import fc from 'fast-check';
import { Pair } from '../testing/pair.ts';
import { data, headers, RawPeer, REQUEST, TUNNEL, UPLOAD } from '../testing/raw-peer.ts';
import { CLIENT_PREFACE, frame, FrameType, literalBlock, setting, uint32 } from '../testing/wire.ts';

/** Builds a frame; `fresh` is the lowest id that is not in use, which it may take. */
type Step = (fresh: number) => { bytes: Buffer; opens?: boolean };

const plain =
  (bytes: Buffer): Step =>
  () => ({ bytes });

/** Streams that are open at the start. */
const someId = fc.constantFrom(1, 3, 5);
const amount = fc.constantFrom(1, 100, 65_535, 1 << 20);
const chunks = fc.infiniteStream(
  fc.oneof(fc.integer({ min: 1, max: 12 }), fc.integer({ min: 1, max: 3000 })),
);

/** What an honest peer sends, though not always at the right time. */
const honest: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(someId, fc.boolean()).map(([id, end]) => plain(headers(id, [':status', '200', 'a', 'b'], end))),
  someId.map((id) => plain(headers(id, ['a', 'b'], true))),
  fc
    .tuple(someId, fc.integer({ min: 0, max: 3000 }), fc.boolean())
    .map(([id, length, end]) => plain(data(id, 'd'.repeat(length), end))),
  fc
    .tuple(someId, fc.integer({ min: 10, max: 300 }), fc.integer({ min: 0, max: 9 }))
    .map(([id, length, pad]) => plain(frame(FrameType.DATA, 8, id, Buffer.alloc(length, pad)))),
  fc
    .tuple(fc.oneof(fc.constant(0), someId), amount)
    .map(([id, value]) => plain(frame(FrameType.WINDOW_UPDATE, 0, id, uint32(value)))),
  someId.map((id) => plain(frame(FrameType.RST_STREAM, 0, id, uint32(8)))),
  fc
    .tuple(fc.constantFrom(1, 3, 4, 6), fc.constantFrom(0, 10, 70_000))
    .map(([id, value]) => plain(frame(FrameType.SETTINGS, 0, 0, setting(id, value)))),
  fc.constant(plain(frame(FrameType.SETTINGS, 1, 0))),
  fc.constant(plain(frame(FrameType.PING, 0, 0, '12345678'))),
  someId.map((id) => plain(frame(FrameType.PRIORITY, 0, id, [0, 0, 0, 13, 1]))),
);

/** New requests, which only a server takes. */
const opening: fc.Arbitrary<Step> = fc.oneof(
  fc.tuple(fc.constantFrom(REQUEST, UPLOAD, TUNNEL), fc.boolean()).map(([fields, end]): Step => {
    return (fresh) => ({ bytes: headers(fresh, fields, end), opens: true });
  }),
  fc.constantFrom(UPLOAD, [...UPLOAD, 'content-length', '900']).map((fields): Step => {
    return (fresh) => ({
      bytes: Buffer.concat([
        frame(FrameType.HEADERS, 0, fresh, literalBlock(...fields)),
        frame(FrameType.CONTINUATION, 0, fresh, literalBlock('a', 'b')),
        frame(FrameType.CONTINUATION, 4, fresh, [0x40, 1, 99, 1, 100, 0xbe]),
      ]),
      opens: true,
    });
  }),
);

const anyId = fc.constantFrom(0, 1, 2, 3, 5, 7, 9, 0x7fff_ffff);
const anyNumber = fc.constantFrom(0, 1, 65_535, 0x7fff_ffff, 0xffff_ffff);

/** What it does not: most of it ends the connection. */
const hostile: fc.Arbitrary<Step> = fc
  .oneof(
    fc.tuple(anyId, anyNumber).map(([id, value]) => frame(FrameType.WINDOW_UPDATE, 0, id, uint32(value))),
    fc.tuple(anyId, anyNumber).map(([id, value]) => frame(FrameType.RST_STREAM, 0, id, uint32(value))),
    fc
      .tuple(fc.integer({ min: 1, max: 9 }), anyNumber)
      .map(([id, value]) => frame(FrameType.SETTINGS, 0, 0, setting(id, value))),
    anyId.map((id) => frame(FrameType.PRIORITY, 0, id, [0, 0, 0, 1, 1])),
    anyId.map((id) => frame(FrameType.GOAWAY, 0, 0, Buffer.concat([uint32(id), uint32(0)]))),
    anyId.map((id) => frame(FrameType.CONTINUATION, 4, id, literalBlock('a', 'b'))),
    anyId.map((id) => frame(FrameType.HEADERS, 0, id, literalBlock(...REQUEST))),
    anyId.map((id) => headers(id, ['a', 'b'])),
    fc
      .tuple(fc.integer({ min: 0, max: 12 }), fc.nat(255), anyId, fc.uint8Array({ maxLength: 40 }))
      .map(([type, flags, id, payload]) => frame(type, flags, id, payload)),
    fc.uint8Array({ maxLength: 40 }).map((bytes) => Buffer.from(bytes)),
  )
  .map(plain);

const frames = (role: 'client' | 'server', most: number): fc.Arbitrary<Buffer[]> =>
  fc
    .array(
      fc.oneof(
        { weight: 80, arbitrary: honest },
        { weight: role === 'server' ? 20 : 0, arbitrary: opening },
        { weight: 2, arbitrary: hostile },
      ),
      { minLength: 5, maxLength: most, size: 'max' },
    )
    .map((steps) => {
      let fresh = 7;
      return steps.map((step) => {
        const { bytes, opens } = step(fresh);
        if (opens === true) fresh += 2;
        return bytes;
      });
    });

/** A connection with something going on, into which frames are fed. */
function begin(role: 'client' | 'server'): RawPeer {
  const peer = RawPeer.ready(role, { initialWindowSize: 70_000, connectionWindowSize: 100_000 });
  if (role === 'client') {
    for (let i = 0; i < 3; i++) peer.connection.request(i === 1 ? REQUEST : TUNNEL, i === 1, '');
    return peer;
  }
  peer.log.headers = (stream, _headers, end) => {
    if (stream.id === 3) return;
    stream.sendHeaders([':status', '200'], end && stream.id !== 5);
    peer.send(stream, 'e'.repeat(9000));
  };
  peer.log.body = (stream, end) => {
    if (end && stream.headersSent) stream.end();
  };
  peer.log.sendable = (stream) => void peer.send(stream, 'e'.repeat(9000));
  peer.feed(headers(1, TUNNEL), headers(3, UPLOAD), headers(5, UPLOAD));
  return peer;
}

describe('HTTP/2 properties', () => {
  for (const role of ['server', 'client'] as const) {
    it(`${role}: events and output do not depend on how the bytes are cut`, () => {
      fc.assert(
        fc.property(frames(role, 40), chunks, (parts, sizes) => {
          const whole = begin(role);
          const cut = begin(role);
          const bytes = Buffer.concat(parts);
          whole.feed(bytes);
          for (let at = 0; at < bytes.length;) {
            const size = sizes.next().value as number;
            cut.feed(bytes.subarray(at, at + size));
            at += size;
          }
          expect(cut.log.lines).to.deep.equal(whole.log.lines);
          expect([...cut.log.bodies]).to.deep.equal([...whole.log.bodies]);
          expect(cut.frames().join()).to.equal(whole.frames().join());
        }),
        { numRuns: 300 },
      );
    });

    it(`${role}: nothing that a peer sends makes it throw, and each stream ends at most once`, () => {
      fc.assert(
        fc.property(frames(role, 80), (parts) => {
          const peer = begin(role);
          for (const bytes of parts) {
            peer.feed(bytes);
            peer.discardOutput();
          }
          const ends = peer.log.lines.filter((line) => line.startsWith('closed '));
          expect(new Set(ends).size).to.equal(ends.length);
          if (peer.log.error !== undefined) {
            expect(peer.connection.closed).to.equal(true);
            expect(peer.connection.activeStreams).to.equal(0);
          }
        }),
        { numRuns: 500 },
      );
    });
  }

  it('garbage from the first byte ends in a connection error or in silence', () => {
    fc.assert(
      fc.property(fc.boolean(), fc.uint8Array({ minLength: 1, maxLength: 400 }), (withPreface, bytes) => {
        const peer = new RawPeer('server');
        if (withPreface) peer.feed(CLIENT_PREFACE);
        peer.feed(Buffer.from(bytes));
        expect(peer.connection.closed).to.equal(peer.log.error !== undefined);
      }),
      { numRuns: 300 },
    );
  });

  it('any bodies over any windows, cut anyhow, arrive whole both ways', () => {
    const window = fc.constantFrom(1, 10, 1000, 65_535, 200_000);
    const body = fc.integer({ min: 0, max: 150_000 });
    fc.assert(
      fc.property(
        window,
        window,
        fc.array(fc.tuple(body, body), { minLength: 1, maxLength: 5 }),
        chunks,
        (a, b, bodies, sizes) => {
          // A window of one byte moves a byte per turn, so bodies are kept in proportion.
          const least = Math.min(a, b);
          const scale = least >= 1000 ? 1 : least / 1000;
          const pair = new Pair({ initialWindowSize: a }, { initialWindowSize: b });
          pair.cut = () => sizes.next().value as number;
          pair.settle();
          const left = new Map<string, string>();
          const pump = (side: 'client' | 'server'): void => {
            const endpoint = pair[side];
            endpoint.log.sendable = (stream) => {
              const key = `${side}${stream.id}`;
              const rest = endpoint.send(stream, left.get(key)!, true);
              left.set(key, rest);
            };
          };
          pump('client');
          pump('server');
          pair.server.log.headers = (stream) => {
            const text = 'd'.repeat(Math.floor(bodies[(stream.id - 1) / 2]![1] * scale)) + '.';
            left.set(`server${stream.id}`, text);
            stream.sendHeaders([':status', '200'], false);
            pair.server.log.sendable!(stream);
          };
          for (const [index, [up]] of bodies.entries()) {
            const stream = pair.client.connection.request(TUNNEL, false, '')!;
            left.set(`client${stream.id}`, 'u'.repeat(Math.floor(up * scale)) + '.');
            expect(stream.id).to.equal(2 * index + 1);
            pair.client.log.sendable!(stream);
          }
          pair.settle();
          for (const [index, [up, down]] of bodies.entries()) {
            const id = 2 * index + 1;
            expect(pair.server.log.bodies.get(id)?.length).to.equal(Math.floor(up * scale) + 1);
            expect(pair.client.log.bodies.get(id)?.length).to.equal(Math.floor(down * scale) + 1);
          }
          expect(pair.client.connection.activeStreams).to.equal(0);
          expect(pair.server.connection.activeStreams).to.equal(0);
          expect(pair.client.log.error ?? pair.server.log.error).to.equal(undefined);
        },
      ),
      { numRuns: 60 },
    );
  });
});
