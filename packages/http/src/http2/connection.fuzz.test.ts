import { damagedBytes, fuzzBudget } from '@ambient/testkit';
import { expect } from 'chai';
import fc from 'fast-check';
import { data, headers, RawPeer, REQUEST, TUNNEL, UPLOAD } from '../testing/raw-peer.ts';
import { frame, FrameFlag, FrameType, literalBlock, setting, uint32 } from '../testing/wire.ts';
import { HTTP2_REASONS } from './errors.ts';

const streamId = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(1, 3, 5, 7) },
  { weight: 1, arbitrary: fc.constantFrom(0, 2, 9, 0x7fff_ffff) },
);
const value = fc.oneof(fc.constantFrom(0, 1, 16_384, 65_535, 0x7fff_ffff, 0xffff_ffff), fc.nat(100_000));

/** A frame that reads well, though it may come at the wrong time. */
const wellFormed: fc.Arbitrary<Buffer> = fc.oneof(
  fc
    .tuple(streamId, fc.constantFrom(REQUEST, UPLOAD, TUNNEL, [':status', '200'], ['a', 'b']), fc.boolean())
    .map(([id, fields, end]) => headers(id, fields, end)),
  fc.tuple(streamId, fc.nat(300), fc.boolean()).map(([id, size, end]) => data(id, 'd'.repeat(size), end)),
  fc
    .tuple(streamId, fc.nat(30), fc.nat(30), fc.boolean())
    .map(([id, size, pad, end]) =>
      frame(
        FrameType.DATA,
        FrameFlag.PADDED | (end ? FrameFlag.END_STREAM : 0),
        id,
        Buffer.concat([Buffer.of(pad), Buffer.alloc(size + pad)]),
      ),
    ),
  fc
    .tuple(streamId, fc.nat(20), fc.boolean(), fc.boolean())
    .map(([id, pad, padded, priority]) =>
      frame(
        FrameType.HEADERS,
        FrameFlag.END_HEADERS | (padded ? FrameFlag.PADDED : 0) | (priority ? FrameFlag.PRIORITY : 0),
        id,
        Buffer.concat([
          padded ? Buffer.of(pad) : Buffer.alloc(0),
          priority ? Buffer.of(0, 0, 0, 0, 16) : Buffer.alloc(0),
          literalBlock(...UPLOAD),
          Buffer.alloc(padded ? pad : 0),
        ]),
      ),
    ),
  fc.tuple(streamId, fc.array(fc.nat(60), { maxLength: 4 })).map(([id, cuts]) => {
    const block = literalBlock(...UPLOAD, 'x-more', 'y'.repeat(40));
    const parts: Buffer[] = [];
    let at = 0;
    for (const [index, cut] of [...cuts, block.length].entries()) {
      const end = Math.min(block.length, at + cut);
      const type = index === 0 ? FrameType.HEADERS : FrameType.CONTINUATION;
      const last = index === cuts.length ? FrameFlag.END_HEADERS : 0;
      parts.push(frame(type, last, id, block.subarray(at, end)));
      at = end;
    }
    return Buffer.concat(parts);
  }),
  fc.tuple(streamId, value).map(([id, n]) => frame(FrameType.WINDOW_UPDATE, 0, id, uint32(n))),
  fc.tuple(streamId, value).map(([id, n]) => frame(FrameType.RST_STREAM, 0, id, uint32(n))),
  fc
    .array(fc.tuple(fc.integer({ min: 0, max: 9 }), value), { maxLength: 4 })
    .map((entries) =>
      frame(FrameType.SETTINGS, 0, 0, Buffer.concat(entries.map(([id, n]) => setting(id, n)))),
    ),
  fc.constant(frame(FrameType.SETTINGS, FrameFlag.ACK, 0)),
  fc.nat(1).map((ack) => frame(FrameType.PING, ack, 0, 'shutdown')),
  fc
    .tuple(streamId, value)
    .map(([id, n]) =>
      frame(FrameType.GOAWAY, 0, 0, Buffer.concat([uint32(id), uint32(n), Buffer.from('why\n\u00ff')])),
    ),
  fc.tuple(streamId, streamId).map(([id, on]) => frame(FrameType.PRIORITY, 0, id, [...uint32(on), 1])),
  fc
    .tuple(fc.nat(255), fc.nat(255), streamId)
    .map(([type, flags, id]) => frame(type, flags, id, 'extension')),
);

/** A session as it may go on after the preface, more or less broken. */
const session = damagedBytes(
  fc.array(wellFormed, { minLength: 1, maxLength: 40, size: 'max' }).map((frames) => Buffer.concat(frames)),
);

/** Owner's habits: how a request is answered, and what happens on events. */
const habits = fc.record({
  answer: fc.constantFrom('none', 'head', 'whole', 'reset'),
  echo: fc.boolean(),
  consume: fc.boolean(),
  shutdown: fc.boolean(),
});

function begin(
  role: 'client' | 'server',
  habit: typeof habits extends fc.Arbitrary<infer H> ? H : never,
): RawPeer {
  const peer = RawPeer.ready(role, { initialWindowSize: 3000, connectionWindowSize: 70_000 });
  peer.log.consume = habit.consume;
  if (role === 'client') {
    for (const fields of [TUNNEL, UPLOAD, REQUEST, TUNNEL])
      peer.connection.request(fields, fields === REQUEST, '');
  }
  peer.log.headers = (stream, _headers, end) => {
    if (habit.answer === 'reset') stream.reset(8);
    else if (role === 'server' && habit.answer !== 'none') {
      if (!stream.headersSent) stream.sendHeaders([':status', '200'], habit.answer === 'whole');
    }
    if (habit.echo) peer.send(stream, 'e'.repeat(2000), end);
  };
  peer.log.body = (stream) => {
    if (habit.echo) peer.send(stream, 'b'.repeat(100));
  };
  peer.log.sendable = (stream) => void peer.send(stream, 's'.repeat(500));
  if (habit.shutdown) peer.connection.startShutdown();
  peer.discardOutput();
  return peer;
}

/** Whole frames, each of a length that the peer takes: the connection's output must read back. */
function expectFrames(bytes: Buffer): void {
  let at = 0;
  while (at < bytes.length) {
    const length = bytes.readUIntBE(at, 3);
    expect(at + 9 + length, 'a frame is cut off').to.be.at.most(bytes.length);
    expect(bytes[at + 3]).to.be.at.most(FrameType.CONTINUATION);
    at += 9 + length;
  }
}

describe('HTTP/2 under fuzz', () => {
  for (const role of ['server', 'client'] as const) {
    it(`${role}: a damaged session ends in a named error or goes on, and never in an exception [fuzz]`, () => {
      const chunk = fc.oneof(fc.integer({ min: 1, max: 20 }), fc.integer({ min: 1, max: 3000 }));
      fc.assert(
        fc.property(session, habits, fc.infiniteStream(chunk), (bytes, habit, chunks) => {
          const peer = begin(role, habit);
          const output: Buffer[] = [];
          for (let at = 0; at < bytes.length;) {
            const size = chunks.next().value as number;
            const piece = Buffer.from(bytes.subarray(at, at + size));
            peer.feed(piece);
            piece.fill(0xee);
            output.push(peer.output());
            at += size;
          }
          expectFrames(Buffer.concat(output));
          const closed = peer.log.lines.filter((line) => line.startsWith('closed '));
          expect(new Set(closed).size, 'a stream is closed once').to.equal(closed.length);
          const { error } = peer.log;
          expect(peer.connection.closed).to.equal(error !== undefined);
          if (error === undefined) return;
          expect(HTTP2_REASONS).to.have.property(error.reason);
          expect(peer.connection.activeStreams).to.equal(0);
          expect(peer.log.lines.filter((line) => line.startsWith('error '))).to.have.lengthOf(1);
          peer.log.take();
          peer.feed(bytes);
          expect(peer.log.lines, 'a closed connection says nothing').to.deep.equal([]);
          expect(peer.output()).to.have.lengthOf(0);
        }),
        fuzzBudget(),
      );
    });
  }

  it('a peer that asks for output and reads none is cut off before it costs much memory [fuzz]', () => {
    const asks = fc.constantFrom(
      frame(FrameType.PING, 0, 0, '12345678'),
      frame(FrameType.SETTINGS, 0, 0),
      headers(1, [':bad', '']),
      data(1, ''),
      frame(FrameType.RST_STREAM, 0, 1, uint32(8)),
    );
    fc.assert(
      fc.property(fc.array(asks, { minLength: 1, maxLength: 5 }), (asked) => {
        const peer = RawPeer.ready('server');
        let next = 1;
        const bytes = Buffer.concat(asked);
        for (let turn = 0; turn < 3000 && !peer.connection.closed; turn++) {
          peer.feed(headers(next, REQUEST, true), bytes);
          next += 2;
        }
        expect(peer.connection.outputLength).to.be.below(2 << 20);
        expect(peer.connection.activeStreams).to.be.at.most(200);
      }),
      fuzzBudget(),
    );
  });

  it('gives back every byte of DATA that was consumed, padding and all [fuzz]', () => {
    const piece = fc.record({
      id: fc.constantFrom(1, 3, 5),
      size: fc.nat(2000),
      pad: fc.oneof(fc.constant(undefined), fc.constant(0), fc.nat(255)),
      cut: fc.nat(40),
    });
    const reset = fc.constantFrom(0, 0, 0, 1, 3, 5);
    const threshold = 65_536 / 4;
    fc.assert(
      fc.property(fc.array(fc.tuple(piece, reset), { maxLength: 60, size: 'max' }), (pieces) => {
        const peer = RawPeer.ready('server', { initialWindowSize: 65_536, connectionWindowSize: 65_536 });
        for (const id of [1, 3, 5, 7]) peer.feed(headers(id, TUNNEL));
        for (const stream of peer.log.streams) stream.sendHeaders([':status', '200'], false);
        peer.discardOutput();
        let sent = 0;
        let granted = 0;
        const carry = (bytes: Buffer, length: number, cut: number): void => {
          sent += length;
          peer.feed(bytes.subarray(0, cut)).feed(bytes.subarray(cut));
          granted += grantedTo(0, peer.output());
        };
        for (const [{ id, size, pad, cut }, dead] of pieces) {
          if (dead !== 0) peer.log.streams[(dead - 1) / 2]!.reset(8);
          const bytes =
            pad === undefined
              ? data(id, 'd'.repeat(size))
              : frame(FrameType.DATA, FrameFlag.PADDED, id, Buffer.alloc(1 + size + pad, pad).fill(100, 1));
          carry(bytes, bytes.length - 9, cut);
        }
        expect(peer.log.error?.message).to.equal(undefined);
        const left = sent - granted;
        expect(left).to.be.within(0, threshold - 1);
        // One byte short of what is due moves nothing; that byte moves all of it.
        carry(data(7, 'd'.repeat(threshold - left - 1)), threshold - left - 1, 0);
        expect(granted, 'too early').to.equal(sent - threshold + 1);
        carry(data(7, 'd'), 1, 0);
        expect(granted).to.equal(sent);
      }),
      fuzzBudget(),
    );
  });

  it('never sends more than a window holds, and sends everything once the windows allow it [fuzz]', () => {
    const grant = fc.oneof(fc.integer({ min: 1, max: 100 }), fc.integer({ min: 1, max: 40_000 }));
    const step = fc.oneof(
      fc.tuple(fc.constantFrom(0, 1, 3, 5), grant).map(([id, bytes]) => ({ id, bytes })),
      fc.constantFrom(0, 1, 1000, 65_535, 100_000).map((initial) => ({ initial })),
      fc
        .tuple(fc.constantFrom(1, 3, 5), fc.integer({ min: 1, max: 80_000 }))
        .map(([on, wants]) => ({ on, wants })),
      fc.constantFrom(16_384, 30_000).map((maxFrame) => ({ maxFrame })),
    );
    fc.assert(
      fc.property(fc.array(step, { maxLength: 60, size: 'max' }), (script) => {
        const peer = RawPeer.ready('server');
        peer.feed(headers(1, TUNNEL), headers(3, TUNNEL), headers(5, TUNNEL));
        const windows = new Map([0, 1, 3, 5].map((id) => [id, 65_535]));
        const wanted = new Map<number, string>();
        let initial = 65_535;
        let maxFrame = 16_384;
        let sent = 0;
        const pump = (stream: (typeof peer.log.streams)[number]): void => {
          wanted.set(stream.id, peer.send(stream, wanted.get(stream.id) ?? ''));
        };
        const check = (): void => {
          for (const { id, length } of dataFrames(peer.output())) {
            expect(length).to.be.at.most(maxFrame);
            for (const window of [0, id]) {
              windows.set(window, windows.get(window)! - length);
              expect(windows.get(window), `window of ${window}`).to.be.at.least(0);
            }
            sent += length;
          }
        };
        peer.log.sendable = pump;
        for (const stream of peer.log.streams) stream.sendHeaders([':status', '200'], false);
        let total = 0;
        for (const one of script) {
          if ('id' in one) {
            windows.set(one.id, windows.get(one.id)! + one.bytes);
            peer.feed(frame(FrameType.WINDOW_UPDATE, 0, one.id, uint32(one.bytes)));
          } else if ('initial' in one) {
            for (const id of [1, 3, 5]) windows.set(id, windows.get(id)! + one.initial - initial);
            initial = one.initial;
            peer.feed(frame(FrameType.SETTINGS, 0, 0, setting(4, initial)));
          } else if ('maxFrame' in one) {
            maxFrame = one.maxFrame;
            peer.feed(frame(FrameType.SETTINGS, 0, 0, setting(5, maxFrame)));
          } else {
            total += one.wants;
            wanted.set(one.on, (wanted.get(one.on) ?? '') + 'w'.repeat(one.wants));
            pump(peer.log.streams[(one.on - 1) / 2]!);
          }
          check();
        }
        for (const id of [1, 3, 5, 0]) {
          const bytes = 10_000_000;
          windows.set(id, windows.get(id)! + bytes);
          peer.feed(frame(FrameType.WINDOW_UPDATE, 0, id, uint32(bytes)));
          check();
        }
        expect(sent).to.equal(total);
      }),
      fuzzBudget(),
    );
  });
});

function grantedTo(id: number, bytes: Buffer): number {
  let granted = 0;
  for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === FrameType.WINDOW_UPDATE && bytes.readUInt32BE(at + 5) === id)
      granted += bytes.readUInt32BE(at + 9);
  }
  return granted;
}

function dataFrames(bytes: Buffer): { id: number; length: number }[] {
  const found: { id: number; length: number }[] = [];
  for (let at = 0; at < bytes.length; at += 9 + bytes.readUIntBE(at, 3)) {
    if (bytes[at + 3] === FrameType.DATA)
      found.push({ id: bytes.readUInt32BE(at + 5), length: bytes.readUIntBE(at, 3) });
  }
  return found;
}
