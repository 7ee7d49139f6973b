import { expect } from 'chai';
import { data, headers, RawPeer, REQUEST, TUNNEL, UPLOAD } from '../testing/raw-peer.ts';
import {
  CLIENT_PREFACE,
  frame,
  frameLines,
  FrameFlag,
  FrameType,
  literalBlock,
  setting,
  uint32,
} from '../testing/wire.ts';
import type { AbuseLimits } from './abuse.ts';
import { DEFAULT_ABUSE_LIMITS } from './abuse.ts';
import { HTTP2_REASONS } from './errors.ts';

const ping = frame(FrameType.PING, 0, 0, '12345678');
const rst = (streamId: number): Buffer => frame(FrameType.RST_STREAM, 0, streamId, uint32(8));
const update = (streamId: number, increment = 1): Buffer =>
  frame(FrameType.WINDOW_UPDATE, 0, streamId, uint32(increment));

const server = (limits: Partial<AbuseLimits> = {}): RawPeer => RawPeer.ready('server', {}, limits);

/** Does `step` until the connection ends, at most `most` times; returns how often it was done. */
function until(peer: RawPeer, most: number, step: (i: number) => void): number {
  let done = 0;
  while (done < most && !peer.connection.closed) step(done++);
  return done;
}

function expectEnded(peer: RawPeer, reason: string): void {
  expect(peer.log.error?.reason).to.equal(reason);
  expect(peer.frames().at(-1)).to.match(/^GOAWAY \d+ ENHANCE_YOUR_CALM$/);
  expect(peer.connection.closed).to.equal(true);
  peer.feed(ping);
  expect(peer.connection.outputLength, 'nothing is answered any more').to.equal(0);
}

describe('hostile peer: rapid reset', () => {
  it('opens and cancels before the answer (CVE-2023-44487)', () => {
    const peer = server();
    const streams = until(peer, 5000, (i) => {
      peer.feed(headers(2 * i + 1, REQUEST, true), rst(2 * i + 1));
    });
    expect(streams).to.equal(DEFAULT_ABUSE_LIMITS.maxResets + 1);
    expectEnded(peer, 'rapid-reset');
  });

  it('makes us reset (CVE-2025-8671)', () => {
    const peer = server({ maxResets: 50 });
    peer.log.headers = (stream) => stream.sendHeaders([':status', '200'], false);
    until(peer, 1000, (i) => peer.feed(headers(2 * i + 1, UPLOAD), update(2 * i + 1, 0)));
    expectEnded(peer, 'rapid-reset');
  });

  it('sends malformed requests only', () => {
    const peer = server({ maxResets: 50 });
    until(peer, 1000, (i) => peer.feed(headers(2 * i + 1, ['a', 'b'], true)));
    expectEnded(peer, 'rapid-reset');
  });

  it('goes on opening streams after the last GOAWAY', () => {
    const peer = server({ maxResets: 50 });
    peer.connection.goaway(0);
    const streams = until(peer, 1000, (i) => peer.feed(headers(2 * i + 1, REQUEST, true)));
    expect(streams).to.equal(51);
    expectEnded(peer, 'rapid-reset');
  });

  it('each open stream is told, and none twice', () => {
    const peer = server({ maxResets: 1 });
    peer.feed(headers(1, UPLOAD), headers(3, UPLOAD), headers(5, UPLOAD));
    peer.events();
    peer.feed(update(3, 0), update(1, 0));
    expect(peer.events()).to.deep.equal([
      'reset 3 PROTOCOL_ERROR local window-increment',
      'closed 3',
      'error rapid-reset ENHANCE_YOUR_CALM',
      'reset 1 ENHANCE_YOUR_CALM local rapid-reset',
      'closed 1',
      'reset 5 ENHANCE_YOUR_CALM local rapid-reset',
      'closed 5',
    ]);
  });

  it('a peer that ends its tunnels by RST_STREAM is none', () => {
    const peer = server({ maxResets: 50 });
    peer.log.headers = (stream) => stream.sendHeaders([':status', '200'], false);
    until(peer, 5000, (i) => {
      peer.feed(headers(2 * i + 1, TUNNEL), rst(2 * i + 1));
      peer.discardOutput();
    });
    expect(peer.connection.closed).to.equal(false);
  });

  it('a busy peer that cancels a third is none', () => {
    const peer = server({ maxResets: 50 });
    peer.log.headers = (stream) => {
      if (stream.id % 3 !== 0) stream.sendHeaders([':status', '200'], true);
    };
    until(peer, 5000, (i) => {
      peer.feed(headers(2 * i + 1, REQUEST, true), rst(2 * i + 1));
      peer.discardOutput();
    });
    expect(peer.connection.closed).to.equal(false);
  });

  it('the same number over a long time is none', () => {
    const peer = server({ maxResets: 50 });
    until(peer, 1000, (i) => {
      peer.clock.now += 250;
      peer.feed(headers(2 * i + 1, REQUEST, true), rst(2 * i + 1));
    });
    expect(peer.connection.closed).to.equal(false);
  });
});

describe('hostile peer: header blocks', () => {
  const start = frame(FrameType.HEADERS, 0, 1, literalBlock(...REQUEST));

  it('goes on with CONTINUATION (CVE-2024-27316)', () => {
    const peer = server().feed(start);
    const frames = until(peer, 1000, () =>
      peer.feed(frame(FrameType.CONTINUATION, 0, 1, literalBlock('a', 'b'))),
    );
    expect(frames).to.equal(DEFAULT_ABUSE_LIMITS.maxContinuations + 1);
    expectEnded(peer, 'continuation-flood');
  });

  it('goes on with large CONTINUATION frames', () => {
    const peer = server().feed(start);
    until(peer, 1000, () => peer.feed(frame(FrameType.CONTINUATION, 0, 1, Buffer.alloc(16_384))));
    expectEnded(peer, 'header-list-too-large');
  });

  it('announces a HEADERS frame that nobody wants to hold', () => {
    const peer = server().feed(frame(FrameType.HEADERS, 4, 1, '', 1 << 20));
    expectEnded(peer, 'header-list-too-large');
  });

  it('sends a list over the limit: 431, and the connection goes on', () => {
    const peer = server();
    const fields = Array.from({ length: 20 }, () => ['cookie', 'x'.repeat(4000)]).flat();
    peer.feed(headers(1, [...REQUEST, ...fields], true), headers(3, [...UPLOAD, ...fields]));
    expect(peer.frames()).to.deep.equal(['HEADERS 1 end', 'HEADERS 3 end', 'RST_STREAM 3 NO_ERROR']);
    peer.feed(data(3, 'x', true), headers(5, REQUEST, true));
    expect(peer.events()).to.have.length(1);
  });

  it('sends a bomb: small on the wire, large when decoded', () => {
    const peer = server();
    // One field of 4000 bytes into the table, then a thousand references to it.
    const field = Buffer.concat([
      Buffer.from('400161', 'hex'),
      Buffer.from([0x7f, 0xa1, 0x1e]),
      Buffer.alloc(4000, 'x'),
    ]);
    peer.feed(
      frame(
        FrameType.HEADERS,
        5,
        1,
        Buffer.concat([literalBlock(...REQUEST), field, Buffer.alloc(1000, 0xbe)]),
      ),
    );
    expect(peer.frames()).to.deep.equal(['HEADERS 1 end']);
    expect(peer.events()).to.deep.equal([]);
  });
});

describe('hostile peer: floods', () => {
  const floods: [string, string, (peer: RawPeer, i: number) => void, number][] = [
    ['SETTINGS (CVE-2019-9515)', 'settings-flood', (peer) => peer.feed(frame(FrameType.SETTINGS, 0, 0)), 99],
    ['SETTINGS acknowledgements', 'settings-flood', (peer) => peer.feed(frame(FrameType.SETTINGS, 1, 0)), 99],
    ['PING (CVE-2019-9512)', 'ping-flood', (peer) => peer.feed(ping), 1000],
    ['PING answers', 'ping-flood', (peer) => peer.feed(frame(FrameType.PING, 1, 0, '12345678')), 1000],
    [
      'PRIORITY (CVE-2019-9513)',
      'priority-flood',
      (peer) => peer.feed(frame(FrameType.PRIORITY, 0, 9, [0, 0, 0, 1, 1])),
      2000,
    ],
    ['frames of unknown type', 'priority-flood', (peer) => peer.feed(frame(0x42, 0, 0)), 2000],
    ['WINDOW_UPDATE', 'window-update-flood', (peer) => peer.feed(update(0)), 10_000],
  ];
  for (const [title, reason, step, least] of floods)
    it(title, () => {
      const peer = server();
      expect(until(peer, 100_000, (i) => step(peer, i))).to.be.within(least, least + 10);
      expectEnded(peer, reason);
    });

  it('empty DATA (CVE-2019-9518)', () => {
    const peer = server().feed(headers(1, UPLOAD));
    until(peer, 10_000, () => peer.feed(data(1, '')));
    expectEnded(peer, 'empty-frame-flood');
  });

  it('DATA that is all padding', () => {
    const peer = server().feed(headers(1, UPLOAD));
    until(peer, 10_000, () => peer.feed(frame(FrameType.DATA, FrameFlag.PADDED, 1, [3, 0, 0, 0])));
    expectEnded(peer, 'empty-frame-flood');
  });

  it('empty HEADERS and CONTINUATION', () => {
    const peer = server({ maxEmptyFrames: 20 });
    until(peer, 10, (i) =>
      peer.feed(
        frame(FrameType.HEADERS, 0, 2 * i + 1),
        frame(FrameType.CONTINUATION, 0, 2 * i + 1),
        frame(FrameType.CONTINUATION, 0, 2 * i + 1),
        frame(FrameType.CONTINUATION, FrameFlag.END_HEADERS, 2 * i + 1, literalBlock(...REQUEST)),
      ),
    );
    expectEnded(peer, 'empty-frame-flood');
  });

  it('a SETTINGS frame with thousands of entries', () => {
    const peer = server().feed(
      frame(FrameType.SETTINGS, 0, 0, Buffer.concat(Array(65).fill(setting(99, 1)))),
    );
    expectEnded(peer, 'settings-flood');
  });

  it('a client that gives each of its streams a priority is none', () => {
    const peer = server();
    peer.log.headers = (stream) => stream.sendHeaders([':status', '200'], true);
    until(peer, 3000, (i) => {
      const priority = frame(FrameType.PRIORITY, 0, 2 * i + 1, [0, 0, 0, 0, 1]);
      peer.feed(headers(2 * i + 1, REQUEST, true), priority, priority, priority);
      peer.discardOutput();
    });
    expect(peer.connection.closed).to.equal(false);
  });

  it('a slow PING is none', () => {
    const peer = server();
    until(peer, 5000, () => {
      peer.clock.now += 20;
      peer.feed(ping);
      peer.discardOutput();
    });
    expect(peer.connection.closed).to.equal(false);
  });

  it('a peer that measures the bandwidth by a PING per DATA frame is none', () => {
    const peer = server().feed(headers(1, UPLOAD));
    until(peer, 5000, () => {
      peer.feed(data(1, 'x'), ping);
      peer.discardOutput();
    });
    expect(peer.connection.closed).to.equal(false);
  });

  it('a peer that reads much in small pieces is none', () => {
    const peer = server().feed(headers(1, TUNNEL));
    const stream = peer.log.streams[0]!;
    stream.sendHeaders([':status', '200'], false);
    until(peer, 5000, () => {
      peer.send(stream, 'x'.repeat(4096));
      peer.discardOutput();
      for (let i = 0; i < 4; i++) peer.feed(update(0, 1024), update(1, 1024));
    });
    expect(peer.connection.closed).to.equal(false);
  });
});

describe('hostile peer: reads nothing', () => {
  it('but asks for answers (CVE-2019-9517)', () => {
    const peer = server({ maxPings: 1e9 });
    const pings = Buffer.concat(Array(1000).fill(ping));
    until(peer, 1000, () => peer.feed(pings));
    expect(peer.log.error?.reason).to.equal('slow-reader');
    expect(peer.connection.outputLength).to.be.lessThan((1 << 20) + 40_000);
  });

  it('a burst of small requests within one read is not that', () => {
    const peer = server();
    peer.log.headers = (stream) => stream.sendHeaders([':status', '200', 'x', '\u00ff'.repeat(200)], true);
    const burst = Buffer.concat(Array.from({ length: 10_000 }, (_, i) => headers(2 * i + 1, REQUEST, true)));
    peer.feed(burst);
    expect(peer.connection.closed).to.equal(false);
  });
});

describe('a busy and honest peer', () => {
  it('50,000 small streams in a second trip nothing', () => {
    const peer = server();
    peer.log.headers = (stream) => stream.sendHeaders([':status', '200'], false);
    peer.log.body = (stream, end) => {
      if (end) stream.end();
    };
    for (let i = 0; i < 50_000; i++) {
      peer.clock.now = i / 50;
      const id = 2 * i + 1;
      peer.feed(headers(id, UPLOAD), data(id, 'x', true), update(id, 100));
      peer.discardOutput();
      peer.log.bodies.clear();
      peer.log.streams.length = 0;
      peer.events();
    }
    expect(peer.connection.closed).to.equal(false);
    expect(peer.connection.activeStreams).to.equal(0);
  });
});

describe('the table of reasons', () => {
  it('has kebab-case keys, and each row says what and what to do', () => {
    for (const [reason, row] of Object.entries(HTTP2_REASONS)) {
      expect(reason).to.match(/^[a-z0-9]+(-[a-z0-9]+)*$/);
      expect(row.meaning.length).to.be.greaterThan(20);
      expect(row.remedy.length).to.be.greaterThan(20);
    }
  });

  it('is in the message of the error, with a remedy', () => {
    const peer = new RawPeer('server').feed(CLIENT_PREFACE, frame(FrameType.SETTINGS, 0, 0, [1, 2]));
    expect(peer.log.error?.code).to.equal('HTTP2_CONNECTION_ERROR');
    expect(peer.log.error?.message).to.equal(
      'HTTP/2 frame-size: a frame is longer than allowed or has not the length of its type (section 4.2) (SETTINGS of 2 bytes); the peer breaks HTTP/2: check its version, and that no middlebox alters the bytes',
    );
    expect(frameLines(peer.output()).at(-1)).to.equal('GOAWAY 0 FRAME_SIZE_ERROR');
  });
});
