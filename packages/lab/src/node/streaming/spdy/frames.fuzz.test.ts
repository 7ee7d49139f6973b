import { expect } from 'chai';
import fc from 'fast-check';

import {
  dataHead,
  FrameReader,
  ping,
  rstStream,
  SpdyProtocolError,
  synStream,
  windowUpdate,
} from './frames.ts';
import type { SpdyFrame } from './frames.ts';
import { encodeHeaders, parseHeaders } from './header-block.ts';

/** Frames of a reader that is given these pieces; what is wrong comes last, as its message. */
function read(pieces: readonly Uint8Array[]): (SpdyFrame | string)[] {
  const reader = new FrameReader();
  const frames: (SpdyFrame | string)[] = [];
  try {
    for (const piece of pieces) frames.push(...copies(reader.push(Buffer.from(piece))));
  } catch (error) {
    expect(error).to.be.instanceOf(SpdyProtocolError);
    frames.push((error as Error).message);
  }
  return frames;
}

function* copies(frames: Iterable<SpdyFrame>): Generator<SpdyFrame> {
  for (const frame of frames) yield frame;
}

/** Data as one piece for each stream, however it was cut. */
function joined(frames: readonly (SpdyFrame | string)[]): string {
  const parts: string[] = [];
  for (const frame of frames) {
    if (typeof frame === 'string') parts.push(frame);
    else if (frame.kind !== 'data') parts.push(JSON.stringify(frame));
    else parts.push(`${frame.streamId}:${frame.bytes.toString('hex')}${frame.fin ? '.' : ''}`);
  }
  // Neighbouring pieces of one stream are one piece.
  return parts.join('|').replace(/(?<=(^|\|)(\d+):[0-9a-f]*)\|\2:/g, '');
}

const streamId = fc.integer({ min: 1, max: 0x7fffffff });
const frame = fc.oneof(
  fc
    .tuple(streamId, fc.uint8Array({ maxLength: 40 }), fc.boolean())
    .map(([id, bytes, fin]) => Buffer.concat([dataHead(id, bytes.length, fin), bytes])),
  fc
    .tuple(streamId, fc.uint8Array({ maxLength: 40 }))
    .map(([id, block]) => synStream(id, Buffer.from(block))),
  fc.nat().map(ping),
  fc.tuple(streamId, fc.nat()).map(([id, status]) => rstStream(id, status)),
  fc.tuple(streamId, fc.nat()).map(([id, delta]) => windowUpdate(id, delta)),
);

describe('SPDY frames, as properties', () => {
  it('are the same however the bytes are cut', () => {
    fc.assert(
      fc.property(
        fc.array(frame, { maxLength: 8 }),
        fc.array(fc.nat(400), { maxLength: 12 }),
        (frames, cuts) => {
          const bytes = Buffer.concat(frames);
          const at = [
            0,
            ...cuts.map((cut) => Math.min(cut, bytes.length)).sort((a, b) => a - b),
            bytes.length,
          ];
          const pieces = at.slice(1).map((end, index) => bytes.subarray(at[index], end));
          expect(joined(read(pieces))).to.equal(joined(read([bytes])));
        },
      ),
    );
  });

  it('any bytes are frames, or a protocol error', () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: 64 }), { maxLength: 6 }),
        (pieces) => void read(pieces),
      ),
    );
  });

  it('any bytes are headers, or a protocol error; and what is encoded is read again', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => {
        try {
          parseHeaders(Buffer.from(bytes));
        } catch (error) {
          expect(error).to.be.instanceOf(SpdyProtocolError);
        }
      }),
    );
    const name = fc.stringMatching(/^[a-z-]{1,10}$/);
    fc.assert(
      fc.property(fc.dictionary(name, fc.stringMatching(/^[ -~]{0,20}$/), { maxKeys: 8 }), (headers) => {
        expect(Object.fromEntries(parseHeaders(encodeHeaders(Object.entries(headers))))).to.deep.equal({
          ...headers,
        });
      }),
    );
  });
});
