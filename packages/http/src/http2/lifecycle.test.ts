import { expect } from 'chai';
import fc from 'fast-check';
import { Pair } from '../testing/pair.ts';
import { data, headers, RawPeer, REQUEST, TUNNEL, UPLOAD } from '../testing/raw-peer.ts';
import { frame, frameLines, FrameType, uint32 } from '../testing/wire.ts';
import { ErrorCode, Http2UsageError } from './errors.ts';

const goaway = (lastStreamId: number, code = 0): Buffer =>
  frame(FrameType.GOAWAY, 0, 0, Buffer.concat([uint32(lastStreamId), uint32(code), Buffer.from('bye')]));

describe('GOAWAY from the peer (RFC 9113, 6.8)', () => {
  it('refuses our streams above the last one, then says so; the others finish', () => {
    const peer = RawPeer.ready('client');
    for (let i = 0; i < 3; i++) peer.connection.request(TUNNEL, false, '');
    peer.feed(goaway(1));
    expect(peer.events()).to.deep.equal([
      'reset 3 REFUSED_STREAM remote',
      'closed 3',
      'reset 5 REFUSED_STREAM remote',
      'closed 5',
      'goaway 1 NO_ERROR bye',
    ]);
    expect(peer.connection.canRequest).to.equal(false);
    expect(peer.connection.goawayReceived).to.equal(true);
    expect(peer.connection.drained).to.equal(false);
    peer.feed(headers(1, [':status', '503'], true), frame(FrameType.RST_STREAM, 0, 1, uint32(0)));
    expect(peer.connection.drained).to.equal(true);
    expect(peer.connection.closed).to.equal(false);
  });

  it('of a client takes nothing from a server but its life', () => {
    const peer = RawPeer.ready('server').feed(headers(1, UPLOAD));
    peer.events();
    peer.feed(goaway(0));
    expect(peer.events()).to.deep.equal(['goaway 0 NO_ERROR bye']);
    peer.log.streams[0]!.sendHeaders([':status', '200'], true);
    peer.feed(data(1, 'x', true));
    expect(peer.connection.drained).to.equal(true);
  });

  it('may come twice', () => {
    const peer = RawPeer.ready('client');
    peer.connection.request(TUNNEL, false, '');
    peer.feed(goaway(0x7fff_ffff), goaway(0));
    expect(peer.events().filter((line) => line.startsWith('reset'))).to.deep.equal([
      'reset 1 REFUSED_STREAM remote',
    ]);
  });
});

describe('graceful shutdown (RFC 9113, 6.8)', () => {
  it('a server loses no request that is on its way', () => {
    const pair = new Pair();
    pair.settle();
    pair.server.connection.startShutdown();
    const onItsWay = pair.client.connection.request(REQUEST, true, '')!;
    pair.server.log.headers = (stream) => stream.sendHeaders([':status', '200'], true);
    pair.settle();
    expect(onItsWay.closed).to.equal(true);
    expect(pair.client.log.lines).to.include('headers 1 :status=200 end');
    expect(pair.client.log.lines.filter((line) => line.startsWith('goaway'))).to.deep.equal([
      'goaway 2147483647 NO_ERROR',
      'goaway 1 NO_ERROR',
    ]);
    expect(pair.client.connection.request(REQUEST, true, '')).to.equal(undefined);
    expect(pair.server.connection.drained).to.equal(true);
    expect(pair.server.log.lines.filter((line) => line.startsWith('pong'))).to.deep.equal([]);
  });

  it('an answer to another PING does not cut the wait short', () => {
    const peer = RawPeer.ready('server');
    peer.connection.startShutdown();
    peer.frames();
    peer.feed(frame(FrameType.PING, 1, 0, 'shut----'), frame(FrameType.PING, 1, 0, '----down'));
    expect(peer.frames()).to.deep.equal([]);
    expect(peer.events()).to.have.length(2);
    peer.feed(frame(FrameType.PING, 1, 0, 'shutdown'));
    expect(peer.frames()).to.deep.equal(['GOAWAY 0 NO_ERROR']);
  });

  it('the owner may cut the wait short, once', () => {
    const peer = RawPeer.ready('server').feed(headers(1, UPLOAD));
    peer.connection.startShutdown();
    peer.connection.startShutdown();
    peer.connection.finishShutdown();
    peer.connection.finishShutdown();
    expect(peer.frames()).to.deep.equal(['GOAWAY 2147483647 NO_ERROR', 'PING', 'GOAWAY 1 NO_ERROR']);
  });

  it('what a peer opens after the last GOAWAY is ignored, and its table kept', () => {
    const peer = RawPeer.ready('server');
    peer.connection.goaway(ErrorCode.NO_ERROR, 'drain');
    peer.frames();
    peer.feed(headers(1, UPLOAD), data(1, 'x', true), headers(3, REQUEST, true));
    expect(peer.frames()).to.deep.equal([]);
    expect(peer.events()).to.deep.equal([]);
    expect(peer.connection.closed).to.equal(false);
  });

  it('a client opens no more', () => {
    const peer = RawPeer.ready('client');
    peer.connection.startShutdown();
    expect(peer.frames()).to.deep.equal(['GOAWAY 0 NO_ERROR']);
    expect(peer.connection.canRequest).to.equal(false);
    expect(peer.connection.drained).to.equal(true);
  });
});

describe('the end of a connection', () => {
  it('by its transport: every stream is told', () => {
    const peer = RawPeer.ready('client');
    peer.connection.request(TUNNEL, false, '');
    peer.connection.transportClosed();
    peer.connection.transportClosed();
    expect(peer.events()).to.deep.equal(['reset 1 CANCEL remote connection-closed', 'closed 1']);
    expect(peer.connection.closed).to.equal(true);
  });

  it('by an error: calls on its streams do nothing any more', () => {
    const peer = RawPeer.ready('server').feed(headers(1, UPLOAD));
    peer.log.onConnectionError = () => peer.log.streams[0]!.sendHeaders([':status', '500'], true);
    peer.feed(data(0, 'x'));
    const stream = peer.log.streams[0]!;
    stream.sendTrailers(['a', 'b']);
    stream.end();
    stream.reset(8);
    stream.releaseWindow(5);
    peer.connection.ping(1);
    peer.connection.goaway(0);
    peer.connection.releaseConnectionWindow(0);
    expect(stream.sendable).to.equal(0);
    expect(peer.frames()).to.deep.equal(['GOAWAY 1 PROTOCOL_ERROR']);
  });

  it('within a frame, by the handler: the rest is not read', () => {
    const peer = RawPeer.ready('server');
    peer.log.headers = () => peer.connection.transportClosed();
    peer.feed(headers(1, UPLOAD), headers(3, UPLOAD));
    expect(peer.log.streams).to.have.length(1);
  });
});

describe('calls from within handlers', () => {
  it('a stream may be reset within its own data; the rest of the frame is dropped and given back', () => {
    const peer = RawPeer.ready('server', { connectionWindowSize: 65_535 });
    peer.feed(headers(1, UPLOAD));
    peer.log.consume = false;
    peer.log.body = (stream) => stream.reset(8);
    const whole = data(1, 'x'.repeat(40_000), true);
    peer.feed(whole.subarray(0, 20_009));
    peer.feed(whole.subarray(20_009));
    expect(peer.log.bodies.get(1)).to.have.length(20_000);
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 CANCEL', 'WINDOW_UPDATE 0 +20000']);
  });

  it('a stream is reset once, however often it is asked', () => {
    const peer = RawPeer.ready('server').feed(headers(1, UPLOAD));
    peer.log.streams[0]!.reset(8);
    peer.log.streams[0]!.reset(8);
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 CANCEL']);
    expect(peer.events().filter((line) => line === 'closed 1')).to.have.length(1);
  });

  it('a stream may be answered and ended within its last data', () => {
    const peer = RawPeer.ready('server');
    peer.log.body = (stream, end) => {
      if (end) stream.sendHeaders([':status', '200'], true);
    };
    peer.feed(headers(1, UPLOAD), data(1, 'x', true));
    expect(peer.events().slice(1)).to.deep.equal(['end 1', 'closed 1']);
  });

  it('receive is not one of them', () => {
    const peer = RawPeer.ready('server');
    let thrown: unknown;
    peer.log.headers = () => {
      try {
        peer.feed(data(1, 'x'));
      } catch (error) {
        thrown = error;
      }
    };
    peer.feed(headers(1, UPLOAD));
    expect(thrown).to.be.instanceOf(Http2UsageError);
  });
});

describe('answers', () => {
  const opened = (): RawPeer => RawPeer.ready('server').feed(headers(1, REQUEST, true));

  it('interim, final, data, trailers', () => {
    const peer = opened();
    const stream = peer.log.streams[0]!;
    stream.sendHeaders([':status', '100'], false);
    expect(stream.headersSent).to.equal(false);
    stream.sendHeaders([':status', '200'], false);
    peer.send(stream, 'body');
    stream.sendTrailers(['grpc-status', '0']);
    expect(stream.closed).to.equal(true);
    expect(peer.frames()).to.deep.equal(['HEADERS 1', 'HEADERS 1', 'DATA 1 4', 'HEADERS 1 end']);
  });

  const misuses: [string, (peer: RawPeer) => void][] = [
    [
      'two final responses',
      (peer) => {
        peer.log.streams[0]!.sendHeaders([':status', '200'], false);
        peer.log.streams[0]!.sendHeaders([':status', '200'], false);
      },
    ],
    ['no :status', (peer) => peer.log.streams[0]!.sendHeaders(['a', 'b'], false)],
    ['an interim end', (peer) => peer.log.streams[0]!.sendHeaders([':status', '100'], true)],
    ['trailers first', (peer) => peer.log.streams[0]!.sendTrailers(['a', 'b'])],
    ['an end first', (peer) => peer.log.streams[0]!.end()],
    ['data first', (peer) => peer.log.streams[0]!.frameData(new Uint8Array(10), 0, 1, false)],
  ];
  for (const [title, misuse] of misuses)
    it(`cannot be ${title}`, () => {
      const peer = opened();
      expect(() => misuse(peer)).to.throw(Http2UsageError);
    });
});

describe('an intermediary', () => {
  it('passes on what is never to be indexed (RFC 7541, 6.2.3)', () => {
    const pair = new Pair();
    pair.settle();
    const seen: (readonly string[])[] = [];
    pair.server.log.headers = (stream) => {
      seen.push(pair.server.connection.neverIndexed);
      stream.sendHeaders([':status', '200', 'x-key', 'b'], false, ['x-key']);
      stream.sendTrailers(['x-sum', 'c'], ['x-sum']);
    };
    pair.client.log.headers = () => seen.push(pair.client.connection.neverIndexed);
    pair.client.log.onTrailers = () => seen.push(pair.client.connection.neverIndexed);
    pair.client.connection.request([...REQUEST, 'x-token', 'a'], true, '', ['x-token']);
    pair.settle();
    expect(seen).to.deep.equal([['x-token'], ['x-key'], ['x-sum']]);
  });
});

describe('control output', () => {
  it('is taken in any pieces', () => {
    const peer = RawPeer.ready('server');
    for (let i = 0; i < 2000; i++) peer.connection.ping(i * 2 ** 21);
    const pieces: Buffer[] = [];
    for (let i = 0; peer.connection.outputLength > 0; i++) {
      if (i === 10) peer.connection.ping(1);
      const piece = Buffer.alloc(3 + (i % 700), 0xee);
      const count = peer.connection.takeOutput(piece, 3);
      pieces.push(piece.subarray(3, 3 + count));
    }
    const bytes = Buffer.concat(pieces);
    expect(frameLines(bytes)).to.deep.equal(Array(2001).fill('PING'));
    expect(bytes.readBigUInt64BE(9 + 17 * 1999)).to.equal(1999n * 2n ** 21n);
  });

  it('keeps its order whatever comes in between', () => {
    const step = fc.record({ pings: fc.nat(400), take: fc.nat(9000) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 30 }), (steps) => {
        const peer = RawPeer.ready('server');
        const taken: Buffer[] = [];
        let sent = 0;
        for (const { pings, take } of steps) {
          for (let i = 0; i < pings; i++) peer.connection.ping(sent++);
          const piece = Buffer.alloc(take);
          taken.push(piece.subarray(0, peer.connection.takeOutput(piece, 0)));
        }
        taken.push(peer.output());
        const bytes = Buffer.concat(taken);
        expect(bytes.length).to.equal(sent * 17);
        for (let i = 0; i < sent; i++) expect(bytes.readUInt32BE(17 * i + 13)).to.equal(i);
      }),
      { numRuns: 40 },
    );
  });

  it('gives a PING payload back as it was', () => {
    const pair = new Pair();
    pair.settle();
    const payloads = [0, 1, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1];
    for (const payload of payloads) pair.client.connection.ping(payload);
    pair.client.log.take();
    pair.settle();
    expect(pair.client.log.take()).to.deep.equal(payloads.map((payload) => `pong ${payload}`));
  });
});
