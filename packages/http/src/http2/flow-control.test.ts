import { expect } from 'chai';
import { Pair } from '../testing/pair.ts';
import { data, headers, RawPeer, TUNNEL, UPLOAD } from '../testing/raw-peer.ts';
import { frame, FrameFlag, FrameType, setting, uint32 } from '../testing/wire.ts';
import { Http2UsageError } from './errors.ts';
import type { Http2Stream } from './stream.ts';

const update = (streamId: number, increment: number): Buffer =>
  frame(FrameType.WINDOW_UPDATE, 0, streamId, uint32(increment));

/** A server with `count` open tunnels, answered, whose peer gives `window` bytes to each stream. */
function tunnels(count: number, window: number): { peer: RawPeer; streams: Http2Stream<string>[] } {
  const peer = RawPeer.ready('server').feed(frame(FrameType.SETTINGS, 0, 0, setting(4, window)));
  for (let i = 0; i < count; i++) peer.feed(headers(2 * i + 1, TUNNEL));
  const streams = peer.log.streams;
  for (const stream of streams) stream.sendHeaders([':status', '200'], false);
  peer.frames();
  peer.events();
  return { peer, streams };
}

describe('6.9 flow control, sending', () => {
  it('6.9.1: sends one byte into a window of one byte', () => {
    const { peer, streams } = tunnels(1, 1);
    expect(peer.send(streams[0]!, 'abc')).to.equal('bc');
    expect(peer.frames()).to.deep.equal(['DATA 1 1']);
    peer.feed(update(1, 1));
    expect(peer.events()).to.deep.equal(['sendable 1']);
    expect(streams[0]!.sendable).to.equal(1);
  });

  it('6.9.2: a later INITIAL_WINDOW_SIZE changes open streams, below zero too', () => {
    const { peer, streams } = tunnels(1, 3);
    const stream = streams[0]!;
    peer.send(stream, 'abc');
    expect(stream.sendable).to.equal(0);
    peer.feed(frame(FrameType.SETTINGS, 0, 0, setting(4, 2)));
    expect(stream.sendable).to.equal(0);
    peer.feed(update(1, 1)); // at zero now
    expect(peer.events()).to.deep.equal(['settings']);
    expect(stream.sendable).to.equal(0);
    peer.feed(update(1, 1));
    expect(peer.events()).to.deep.equal(['sendable 1']);
    expect(stream.sendable).to.equal(1);
  });

  it('6.9.2: a larger INITIAL_WINDOW_SIZE opens streams that wait', () => {
    const { peer, streams } = tunnels(2, 0);
    expect(streams[0]!.sendable).to.equal(0);
    peer.feed(frame(FrameType.SETTINGS, 0, 0, setting(4, 10)));
    expect(peer.events(), 'only the one that asked').to.deep.equal(['settings', 'sendable 1']);
  });

  it('keeps DATA frames within SETTINGS_MAX_FRAME_SIZE of the peer', () => {
    const { peer, streams } = tunnels(1, 60_000);
    expect(streams[0]!.sendable).to.equal(16_384);
    peer.feed(frame(FrameType.SETTINGS, 0, 0, setting(5, 1 << 20)));
    expect(streams[0]!.sendable).to.equal(60_000);
  });

  it('calls nobody who did not ask', () => {
    const { peer } = tunnels(3, 10);
    peer.feed(update(1, 10), update(0, 10));
    expect(peer.events()).to.deep.equal([]);
  });

  it('calls once for one question', () => {
    const { peer, streams } = tunnels(1, 0);
    expect([streams[0]!.sendable, streams[0]!.sendable]).to.deep.equal([0, 0]);
    peer.feed(update(1, 1), update(1, 1));
    expect(peer.events()).to.deep.equal(['sendable 1']);
  });

  it('an ended or unanswered stream is not sendable and books nothing', () => {
    const peer = RawPeer.ready('server').feed(headers(1, TUNNEL));
    const stream = peer.log.streams[0]!;
    expect(stream.sendable).to.equal(0);
    stream.sendHeaders([':status', '200'], true);
    expect(stream.sendable).to.equal(0);
    peer.feed(update(1, 1), update(0, 1));
    expect(peer.events().slice(1)).to.deep.equal([]);
  });

  it('does not count an empty DATA frame', () => {
    const { peer, streams } = tunnels(1, 0);
    streams[0]!.frameData(new Uint8Array(9), 0, 0, true);
    expect(streams[0]!.localClosed).to.equal(true);
    expect(peer.connection.closed).to.equal(false);
  });

  it('refuses to be used against its contract', () => {
    const { peer, streams } = tunnels(1, 10);
    const target = new Uint8Array(100);
    expect(() => streams[0]!.frameData(target, 0, 11, false)).to.throw(Http2UsageError, 'exceeds');
    peer.connection.ping(1);
    expect(() => streams[0]!.frameData(target, 0, 10, false)).to.throw(Http2UsageError, 'drained');
    streams[0]!.reset(8);
    peer.frames();
    expect(() => streams[0]!.frameData(target, 0, 1, false)).to.throw(Http2UsageError, 'ended');
  });
});

describe('6.9 flow control, sharing the connection', () => {
  /** Streams with endless data that wait for the connection's window, which is used up. */
  function hungry(count: number): { peer: RawPeer; sent: number[] } {
    const { peer, streams } = tunnels(count, 1 << 30);
    const sent = new Array<number>(count).fill(0);
    const text = 'x'.repeat(1 << 20);
    const write = (stream: Http2Stream<string>): void => {
      const rest = peer.send(stream, text);
      sent[(stream.id - 1) / 2]! += text.length - rest.length;
    };
    for (const stream of streams) write(stream);
    peer.log.sendable = write;
    sent.fill(0);
    peer.events();
    return { peer, sent };
  }

  /** What the peer answers when it is asked whether it grants more. */
  const answer = frame(FrameType.PING, FrameFlag.ACK, 0, Buffer.from('77696e646f773f00', 'hex'));
  const pings = (peer: RawPeer): string[] => peer.frames().filter((line) => line.startsWith('PING'));

  it('gives equal parts of a grant', () => {
    const { peer, sent } = hungry(4);
    peer.feed(update(0, 400_000));
    expect(sent.reduce((a, b) => a + b)).to.equal(400_000);
    expect(Math.max(...sent) - Math.min(...sent)).to.be.lessThan(16_385);
  });

  it('starves nobody when grants are small', () => {
    const { peer, sent } = hungry(10);
    for (let i = 0; i < 100; i++) peer.feed(update(0, 1000));
    for (const bytes of sent) expect(bytes).to.equal(10_000);
  });

  it('a stream that is reset while it waits is passed over', () => {
    const { peer, sent } = hungry(3);
    peer.feed(frame(FrameType.RST_STREAM, 0, 3, uint32(8)), update(0, 1000));
    expect(sent[1]).to.equal(0);
    expect(sent[0]! + sent[2]!).to.equal(1000);
    expect(peer.connection.closed).to.equal(false);
  });

  it('a stream that opens its own window while the connection is shut waits its turn', () => {
    const { peer, streams } = tunnels(2, 65_535);
    peer.send(streams[0]!, 'x'.repeat(65_535));
    expect(streams[0]!.sendable).to.equal(0);
    peer.feed(update(1, 10));
    expect(peer.events()).to.deep.equal([]);
    peer.feed(update(0, 10));
    expect(peer.events()).to.deep.equal(['sendable 1']);
  });

  it('keeps part of a large window for small exchanges beside bulk', () => {
    const { peer, streams } = tunnels(2, 1 << 30);
    peer.feed(update(0, (16 << 20) - 65_535));
    const bulk = 'x'.repeat(16 << 20);
    const rest = peer.send(streams[0]!, bulk);
    expect(rest.length).to.equal(1 << 20);
    expect(peer.send(streams[1]!, 'a small question')).to.equal('');
    // And it is not lost for the bulk: the next grant brings it on.
    peer.feed(update(0, 4 << 20));
    expect(peer.events()).to.deep.equal(['sendable 1']);
    expect(peer.send(streams[0]!, rest)).to.equal('');
  });

  it('gives up what it keeps back when the peer grants nothing for what it has got', () => {
    const { peer, streams } = tunnels(2, 1 << 30);
    peer.feed(update(0, (16 << 20) - 65_535));
    const rest = peer.send(streams[0]!, 'x'.repeat(16 << 20));
    expect(rest.length).to.equal(1 << 20);
    expect(pings(peer)).to.have.length(1);
    expect(streams[0]!.sendable, 'asks once').to.equal(0);
    expect(pings(peer)).to.have.length(0);
    peer.events();
    peer.feed(answer);
    expect(peer.events()).to.deep.equal(['sendable 1']);
    expect(peer.send(streams[0]!, rest)).to.equal('');
    // A peer that fills its window up to half a megabyte only from now on is too small to keep anything from.
    peer.feed(update(0, 1 << 19));
    expect(peer.send(streams[0]!, 'x'.repeat(1 << 20)).length).to.equal(1 << 19);
    expect(pings(peer)).to.have.length(0);
  });

  it('keeps the rest for others when a grant comes ahead of the answer', () => {
    const { peer, streams } = tunnels(2, 1 << 30);
    peer.feed(update(0, (16 << 20) - 65_535));
    peer.send(streams[0]!, 'x'.repeat(16 << 20));
    peer.events();
    peer.feed(update(0, 4 << 20), answer);
    expect(peer.events()).to.deep.equal(['sendable 1']);
    expect(peer.send(streams[0]!, 'x'.repeat(16 << 20)).length).to.equal(12 << 20);
    expect(peer.send(streams[1]!, 'a small question')).to.equal('');
  });

  it('asks again after a grant that leaves bulk waiting, which says nothing of the next one', () => {
    const { peer, streams } = tunnels(2, 1 << 30);
    peer.feed(update(0, (16 << 20) - 65_535));
    const rest = peer.send(streams[0]!, 'x'.repeat(16 << 20));
    peer.send(streams[1]!, 'x'.repeat(60_000)); // out of what is kept
    peer.frames();
    // The peer fills its window up to less from now on, and grants on its way there.
    peer.feed(update(0, 32_768));
    expect(pings(peer)).to.have.length(1);
    peer.events();
    peer.feed(answer);
    expect(peer.events()).to.deep.equal(['sendable 1']);
    expect(peer.send(streams[0]!, rest).length).to.equal(60_000 - 32_768);
  });

  it('asks where the last of those who were called has used up the rest', () => {
    const { peer, streams } = tunnels(3, 1 << 30);
    peer.feed(update(0, (16 << 20) - 65_535));
    peer.send(streams[0]!, 'x'.repeat(16 << 20));
    for (const stream of streams.slice(1)) peer.send(stream, 'x'.repeat(65_536)); // bulk from now on
    for (const stream of streams.slice(1)) expect(stream.sendable).to.equal(0);
    peer.frames();
    // The first to be called takes its share and asks for no more.
    let called = 0;
    peer.log.sendable = (stream) => {
      called++;
      peer.send(stream, 'x'.repeat(stream.sendable));
    };
    peer.feed(update(0, 131_072 + 16_384));
    expect(called).to.equal(1);
    expect(pings(peer)).to.have.length(1);
  });

  it('keeps nothing back of a small window', () => {
    const { peer, streams } = tunnels(1, 1 << 20);
    expect(peer.send(streams[0]!, 'x'.repeat(70_000)).length).to.equal(70_000 - 65_535);
  });

  it('a handler that does not use its turn does not hold up the others', () => {
    const { peer, streams } = tunnels(3, 1 << 20);
    peer.send(streams[0]!, 'x'.repeat(65_535));
    for (const stream of streams) expect(stream.sendable).to.equal(0);
    peer.feed(update(0, 1));
    expect(peer.events()).to.deep.equal(['sendable 1', 'sendable 3', 'sendable 5']);
  });
});

describe('5.2 flow control, receiving', () => {
  const opened = (settings: object): RawPeer => {
    const peer = RawPeer.ready('server', settings).feed(headers(1, UPLOAD), headers(3, UPLOAD));
    peer.log.consume = false;
    peer.frames();
    peer.events();
    return peer;
  };

  it('ends the stream that passes its window', () => {
    const peer = opened({ initialWindowSize: 100_000 });
    peer.feed(data(1, 'x'.repeat(100_000)));
    expect(peer.frames()).to.deep.equal([]);
    peer.feed(data(1, 'x'));
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 FLOW_CONTROL_ERROR']);
    expect(peer.events()).to.deep.equal(['reset 1 FLOW_CONTROL_ERROR local flow-control', 'closed 1']);
  });

  it('ends the connection whose window is passed', () => {
    const peer = opened({ initialWindowSize: 1 << 20, connectionWindowSize: 100_000 });
    peer.feed(data(1, 'x'.repeat(60_000)), data(3, 'x'.repeat(40_000)));
    expect(peer.connection.closed).to.equal(false);
    peer.feed(data(3, 'x'));
    expect(peer.output().toString('latin1')).to.match(/flow-control: of the connection$/);
    expect(peer.log.error?.reason).to.equal('flow-control');
  });

  it('counts padding, and gives it back', () => {
    const peer = opened({ initialWindowSize: 65_535, connectionWindowSize: 65_535 });
    const padded = frame(
      FrameType.DATA,
      FrameFlag.PADDED,
      1,
      Buffer.concat([Buffer.from([255]), Buffer.alloc(255)]),
    );
    for (let i = 0; i < 64; i++) peer.feed(padded);
    expect(peer.frames()).to.deep.equal(['WINDOW_UPDATE 0 +16384', 'WINDOW_UPDATE 1 +16384']);
  });

  it('gives back the length of a padding of nothing', () => {
    const peer = opened({ initialWindowSize: 65_535, connectionWindowSize: 65_535 });
    peer.log.consume = true;
    const padded = frame(
      FrameType.DATA,
      FrameFlag.PADDED,
      1,
      Buffer.concat([Buffer.of(0), Buffer.alloc(255)]),
    );
    for (let i = 0; i < 64; i++) peer.feed(padded);
    expect(peer.frames()).to.deep.equal(['WINDOW_UPDATE 1 +16384', 'WINDOW_UPDATE 0 +16384']);
  });

  it('tells of consumed bytes once a quarter of the window is due, on each level for itself', () => {
    const peer = opened({ initialWindowSize: 100_000, connectionWindowSize: 200_000 });
    peer.feed(data(1, 'x'.repeat(60_000)));
    const stream = peer.log.streams[0]!;
    stream.releaseWindow(24_999);
    expect(peer.frames()).to.deep.equal([]);
    stream.releaseWindow(1);
    expect(peer.frames()).to.deep.equal(['WINDOW_UPDATE 1 +25000']);
    peer.connection.releaseConnectionWindow(49_999);
    expect(peer.frames()).to.deep.equal([]);
    peer.connection.releaseConnectionWindow(10_001);
    expect(peer.frames()).to.deep.equal(['WINDOW_UPDATE 0 +60000']);
  });

  it('does not grow the window of a stream that has ended', () => {
    const peer = opened({ initialWindowSize: 1000 });
    peer.feed(data(1, 'x'.repeat(1000), true));
    peer.log.streams[0]!.releaseWindow(1000);
    expect(peer.frames()).to.deep.equal([]);
  });

  it('notices bytes that are released twice', () => {
    const peer = opened({ initialWindowSize: 100_000, connectionWindowSize: 100_000 });
    peer.feed(data(1, 'x'.repeat(10)));
    expect(() => peer.log.streams[0]!.releaseWindow(11)).to.throw(Http2UsageError, 'more bytes');
    expect(() => peer.connection.releaseConnectionWindow(11)).to.throw(Http2UsageError, 'more bytes');
  });

  it('lets the peer use the default window until it knows of a smaller one (6.9.2)', () => {
    const peer = new RawPeer('server', { initialWindowSize: 10 });
    peer.log.consume = false;
    peer.feed(Buffer.from('PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'), frame(FrameType.SETTINGS, 0, 0));
    peer.feed(headers(1, UPLOAD), data(1, 'x'.repeat(100)));
    peer.feed(frame(FrameType.SETTINGS, FrameFlag.ACK, 0));
    peer.frames();
    peer.log.streams[0]!.releaseWindow(100);
    expect(peer.frames()).to.deep.equal(['WINDOW_UPDATE 1 +100']);
    peer.feed(data(1, 'x'.repeat(10)));
    expect(peer.frames()).to.deep.equal([]);
    peer.feed(data(1, 'x'));
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 FLOW_CONTROL_ERROR']);
  });
});

describe('flow control between both roles', () => {
  it('a stalled stream does not stall its siblings', () => {
    const pair = new Pair();
    pair.settle();
    const stalled = pair.client.connection.request(TUNNEL, false, 'stalled')!;
    const other = pair.client.connection.request(TUNNEL, false, 'other')!;
    pair.settle();
    pair.server.log.consume = false;
    // The owner of the other end takes stream 3 only, but frees the connection for both, as it buffers stream 1.
    pair.server.log.body = (stream) => {
      const length = pair.server.log.bodies.get(stream.id)!.length;
      pair.server.log.bodies.set(stream.id, '');
      pair.server.connection.releaseConnectionWindow(length);
      if (stream.id === 3) stream.releaseWindow(length);
    };
    const left = pair.client.send(stalled, 'x'.repeat(5 << 20));
    expect(left.length).to.equal(1 << 20);
    let total = 0;
    for (let i = 0; i < 30; i++) {
      pair.settle();
      const chunk = 'y'.repeat(1 << 20);
      total += chunk.length - pair.client.send(other, chunk).length;
    }
    expect(total).to.equal(30 << 20);
    expect(stalled.sendable).to.equal(0);
  });
});
