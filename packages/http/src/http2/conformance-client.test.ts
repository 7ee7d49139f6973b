import { expect } from 'chai';
import { data, headers, RawPeer, REQUEST, TUNNEL } from '../testing/raw-peer.ts';
import { CLIENT_PREFACE, frame, FrameFlag, FrameType, setting, uint32 } from '../testing/wire.ts';
import type { Http2Stream } from './stream.ts';

const { END_HEADERS } = FrameFlag;

/** A client with one request open on stream 1. */
function client(request: string[] = REQUEST): { peer: RawPeer; stream: Http2Stream<string> } {
  const peer = RawPeer.ready('client');
  const stream = peer.connection.request(request, true, 'context')!;
  expect(peer.frames()).to.deep.equal(['HEADERS 1 end']);
  return { peer, stream };
}

function expectConnectionError(peer: RawPeer, code: string, reason: string): void {
  expect(peer.frames().at(-1)).to.equal(`GOAWAY 0 ${code}`);
  expect(peer.log.error?.reason).to.equal(reason);
}

describe('client: preface (RFC 9113, 3.4)', () => {
  it('names a server that speaks HTTP/1', () => {
    const peer = new RawPeer('client').feed(Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
    expectConnectionErrorMessage(peer, /speaks HTTP\/1: "HTTP\/1\.1 "/);
  });
  it('names a server that answers by a TLS alert', () => {
    const peer = new RawPeer('client').feed(Buffer.from([0x15, 3, 1, 0, 2, 2, 70, 0, 0]));
    expectConnectionErrorMessage(peer, /not begin as HTTP\/2/);
  });
  it('names the frame that comes before SETTINGS', () => {
    const peer = new RawPeer('client').feed(frame(FrameType.PING, 0, 0, '12345678'));
    expectConnectionErrorMessage(peer, /first frame is of type 6/);
  });
  it('takes GOAWAY as a first frame for what it is: no HTTP/2', () => {
    const peer = new RawPeer('client').feed(frame(FrameType.GOAWAY, 0, 0, Buffer.alloc(8)));
    expect(peer.log.error?.reason).to.equal('not-http2');
  });

  function expectConnectionErrorMessage(peer: RawPeer, message: RegExp): void {
    expect(peer.log.error?.reason).to.equal('not-http2');
    expect(peer.log.error?.message).to.match(message);
  }
});

describe('client: responses (RFC 9113, 8.1 and 8.3.2)', () => {
  it('takes interim responses, then the final one', () => {
    const { peer, stream } = client();
    peer.feed(headers(1, [':status', '103', 'link', 'x']));
    expect(stream.headersReceived).to.equal(false);
    peer.feed(headers(1, [':status', '100']), headers(1, [':status', '200'], true));
    expect(peer.events()).to.deep.equal([
      'headers 1 :status=103,link=x',
      'headers 1 :status=100',
      'headers 1 :status=200 end',
      'closed 1',
    ]);
    expect(stream.context).to.equal('context');
  });

  it('takes trailers', () => {
    const { peer } = client();
    peer.feed(headers(1, [':status', '200']), data(1, 'x'), headers(1, ['grpc-status', '0'], true));
    expect(peer.events().slice(1)).to.deep.equal(['trailers 1 grpc-status=0', 'closed 1']);
  });

  const malformed: [string, Buffer[]][] = [
    ['an interim response that ends the stream', [headers(1, [':status', '100'], true)]],
    ['DATA before headers', [data(1, 'x')]],
    ['DATA after an interim response', [headers(1, [':status', '100']), data(1, 'x')]],
    ['no :status', [headers(1, ['a', 'b'], true)]],
    ['a request', [headers(1, REQUEST, true)]],
    ['a connection header', [headers(1, [':status', '200', 'connection', 'close'], true)]],
    ['a body shorter than its content-length', [headers(1, [':status', '200', 'content-length', '3'], true)]],
    ['trailers without an end', [headers(1, [':status', '200']), headers(1, ['a', 'b'])]],
  ];
  for (const [title, bytes] of malformed)
    it(`resets the stream for ${title}`, () => {
      const { peer } = client();
      peer.feed(...bytes);
      expect(peer.frames()).to.deep.equal(['RST_STREAM 1 PROTOCOL_ERROR']);
      const [reset, closed] = peer.events().slice(-2);
      expect(reset).to.match(/^reset 1 PROTOCOL_ERROR local (malformed-message|content-length)$/);
      expect(closed).to.equal('closed 1');
    });

  const bodiless: [string, string[], string][] = [
    ['HEAD', [':method', 'HEAD', ...REQUEST.slice(2)], '200'],
    ['204', REQUEST, '204'],
    ['304', REQUEST, '304'],
  ];
  for (const [title, request, status] of bodiless)
    it(`lets content-length stand without a body for ${title}`, () => {
      const { peer } = client(request);
      peer.feed(headers(1, [':status', status, 'content-length', '100'], true));
      expect(peer.events().at(-1)).to.equal('closed 1');
      expect(peer.frames()).to.deep.equal([]);
    });

  it('CONNECT: the body of a refusal is bound by its length, a tunnel is not', () => {
    const peer = RawPeer.ready('client');
    peer.connection.request(TUNNEL, false, '');
    peer.connection.request(TUNNEL, false, '');
    peer.frames();
    peer.feed(headers(1, [':status', '200', 'content-length', '1']), data(1, 'xyz', true));
    peer.feed(headers(3, [':status', '503', 'content-length', '1']), data(3, 'xyz', true));
    expect(peer.frames()).to.deep.equal(['RST_STREAM 3 PROTOCOL_ERROR']);
  });

  it('CONNECT: trailers on a tunnel reset it (8.5)', () => {
    const peer = RawPeer.ready('client');
    peer.connection.request(TUNNEL, false, '');
    peer.frames();
    peer.feed(headers(1, [':status', '200']), headers(1, ['a', 'b'], true));
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 PROTOCOL_ERROR']);
  });

  it('resets the stream for a header list over the limit, and keeps the table', () => {
    const { peer } = client();
    peer.connection.request(REQUEST, true, 'second');
    peer.frames();
    const big = Buffer.concat([
      Buffer.from('88' + '4001620163', 'hex'), // b: c goes into the table
      Buffer.from('000161' + '7f817f', 'hex'), // a: 16384 bytes, which do not
      Buffer.alloc(16_384, 'x'),
    ]);
    peer.feed(frame(FrameType.HEADERS, END_HEADERS, 1, big));
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 ENHANCE_YOUR_CALM']);
    peer.feed(frame(FrameType.HEADERS, END_HEADERS | 1, 3, [0x88, 0xbe]));
    expect(peer.events()).to.include('headers 3 :status=200,b=c end');
  });
});

describe('client: stream ids and states (RFC 9113, 5.1)', () => {
  it('refuses a stream that the server opens', () => {
    expectConnectionError(client().peer.feed(headers(2, [':status', '200'])), 'PROTOCOL_ERROR', 'stream-id');
  });
  it('refuses a response to what was never asked', () => {
    expectConnectionError(client().peer.feed(headers(3, [':status', '200'])), 'PROTOCOL_ERROR', 'stream-id');
  });
  it('refuses DATA on an idle stream', () => {
    expectConnectionError(client().peer.feed(data(3, 'x')), 'PROTOCOL_ERROR', 'stream-id');
  });
  it('refuses PUSH_PROMISE', () => {
    const bytes = frame(FrameType.PUSH_PROMISE, END_HEADERS, 1, uint32(2));
    expectConnectionError(client().peer.feed(bytes), 'PROTOCOL_ERROR', 'push-refused');
  });
  it('refuses ENABLE_PUSH from a server', () => {
    const bytes = frame(FrameType.SETTINGS, 0, 0, setting(2, 1));
    expectConnectionError(client().peer.feed(bytes), 'PROTOCOL_ERROR', 'settings-value');
  });
  it('ignores a response to a stream that it has reset', () => {
    const { peer, stream } = client();
    stream.reset(8);
    peer.feed(headers(1, [':status', '200']), data(1, 'x', true));
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 CANCEL']);
    expect(peer.events()).to.deep.equal(['closed 1']);
  });
  it('takes RST_STREAM NO_ERROR after an early response (8.1)', () => {
    const peer = RawPeer.ready('client');
    const stream = peer.connection.request(TUNNEL, false, '')!;
    peer.feed(headers(1, [':status', '503'], true), frame(FrameType.RST_STREAM, 0, 1, uint32(0)));
    expect(peer.events()).to.deep.equal(['headers 1 :status=503 end', 'reset 1 NO_ERROR remote', 'closed 1']);
    expect(stream.closed).to.equal(true);
  });
});

describe('client: opening streams', () => {
  it('keeps to the limit of the peer, and goes on when a stream ends', () => {
    const peer = RawPeer.ready('client').feed(frame(FrameType.SETTINGS, 0, 0, setting(3, 1)));
    expect(peer.connection.peerMaxConcurrentStreams).to.equal(1);
    const first = peer.connection.request(REQUEST, true, '')!;
    expect(peer.connection.canRequest).to.equal(false);
    expect(peer.connection.request(REQUEST, true, '')).to.equal(undefined);
    first.reset(8);
    expect(peer.connection.request(REQUEST, true, '')?.id).to.equal(3);
  });

  it('may open before SETTINGS have come', () => {
    const peer = new RawPeer('client');
    expect(peer.connection.remoteSettingsReceived).to.equal(false);
    expect(peer.connection.request(REQUEST, true, '')?.id).to.equal(1);
    const bytes = peer.output();
    expect(bytes.subarray(0, 24).equals(CLIENT_PREFACE)).to.equal(true);
  });

  it('opens nothing when a header cannot be sent', () => {
    const peer = RawPeer.ready('client');
    expect(() => peer.connection.request([...REQUEST, 'a', '\n'], true, '')).to.throw('character 10');
    expect(peer.connection.activeStreams).to.equal(0);
    expect(peer.frames()).to.deep.equal([]);
    expect(peer.connection.request(REQUEST, true, '')?.id).to.equal(1);
  });

  it('a server opens none', () => {
    expect(RawPeer.ready('server').connection.request(REQUEST, true, '')).to.equal(undefined);
  });

  it('cuts a long header list by the frame size of the peer', () => {
    const peer = RawPeer.ready('client');
    peer.connection.request([...REQUEST, 'x', '\u00ff'.repeat(40_000)], true, '');
    expect(peer.frames()).to.deep.equal(['HEADERS 1 end', 'CONTINUATION 1', 'CONTINUATION 1']);
  });
});
