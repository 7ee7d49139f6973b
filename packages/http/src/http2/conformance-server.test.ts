import { expect } from 'chai';
import type { LocalSettings } from './settings.ts';
import { data, headers, RawPeer, REQUEST, TUNNEL, UPLOAD } from '../testing/raw-peer.ts';
import {
  CLIENT_PREFACE,
  frame,
  FrameFlag,
  FrameType,
  literalBlock,
  setting,
  uint32,
} from '../testing/wire.ts';

// Titles follow the section names of h2spec, whose scenarios these are, so that its reports can be looked up here.

const { END_HEADERS, END_STREAM, PADDED, ACK } = FrameFlag;
const PRIORITY_FLAG = FrameFlag.PRIORITY;

/** A server whose peer has sent the preface. */
const server = (): RawPeer => RawPeer.ready('server');

/** A server with an open request on stream 1. */
function withUpload(): RawPeer {
  const peer = server().feed(headers(1, UPLOAD));
  peer.events();
  return peer;
}

function expectConnectionError(peer: RawPeer, code: string, reason?: string): void {
  const goaway = peer.frames().at(-1);
  expect(goaway).to.match(new RegExp(`^GOAWAY \\d+ ${code}$`));
  expect(peer.connection.closed).to.equal(true);
  if (reason !== undefined) expect(peer.log.error?.reason).to.equal(reason);
}

function expectStreamError(peer: RawPeer, code: string, streamId = 1): void {
  expect(peer.frames()).to.include(`RST_STREAM ${streamId} ${code}`);
  expect(peer.connection.closed).to.equal(false);
  // The connection lives: another request is taken.
  peer.events();
  peer.feed(headers(101, REQUEST, true));
  expect(peer.events()[0]).to.match(/^headers 101 /);
}

describe('3.4 HTTP/2 connection preface', () => {
  it('sends a server connection preface', () => {
    expect(new RawPeer('server').frames()).to.deep.equal([
      'SETTINGS',
      `WINDOW_UPDATE 0 +${(16 << 20) - 65_535}`,
    ]);
  });

  it('sends a client connection preface', () => {
    const bytes = new RawPeer('client').output();
    expect(bytes.subarray(0, 24).equals(CLIENT_PREFACE)).to.equal(true);
    // ENABLE_PUSH = 0
    expect(bytes.includes(Buffer.from('000200000000', 'hex'))).to.equal(true);
  });

  it('answers an invalid preface by a connection error', () => {
    const peer = new RawPeer('server').feed(Buffer.from('INVALID CONNECTION PREFACE\r\n\r\n'));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'not-http2');
  });

  const others: [string, string | Buffer, RegExp][] = [
    ['HTTP/1.1', 'GET / HTTP/1.1\r\nHost: a\r\n\r\n', /speaks HTTP\/1: "GET \/ HTTP\/1\.1"/],
    ['a TLS ClientHello', Buffer.from([0x16, 3, 1, 2, 0]), /TLS handshake/],
    ['binary', Buffer.from([0, 1, 2]), /begins "\.\.\."/],
    ['a damaged preface', 'PRI * HTTP/2.0\r\n\r\nSX', /preface is damaged/],
  ];
  for (const [title, bytes, message] of others)
    it(`names ${title} instead of it`, () => {
      const peer = new RawPeer('server').feed(Buffer.from(bytes as string, 'latin1'));
      expect(peer.log.error?.message).to.match(message);
    });

  it('demands SETTINGS as the first frame', () => {
    const peer = new RawPeer('server').feed(CLIENT_PREFACE, frame(FrameType.PING, 0, 0, '12345678'));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'not-http2');
  });

  it('does not take an acknowledgement for it', () => {
    const peer = new RawPeer('server').feed(CLIENT_PREFACE, frame(FrameType.SETTINGS, ACK, 0));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'not-http2');
  });
});

describe('4.1 Frame format', () => {
  it('ignores a frame of unknown type', () => {
    const peer = server().feed(
      frame(0x16, 0xff, 0, '12345678'),
      frame(0x16, 0, 7, ''),
      frame(FrameType.PING, 0, 0, '12345678'),
    );
    expect(peer.frames()).to.deep.equal(['PING ack']);
  });

  it('ignores undefined flags and the reserved bit', () => {
    const ping = frame(FrameType.PING, 0x16, 0, '12345678');
    ping[5] = 0x80;
    expect(server().feed(ping).frames()).to.deep.equal(['PING ack']);
  });
});

describe('4.2 Frame size', () => {
  it('takes a DATA frame of exactly SETTINGS_MAX_FRAME_SIZE', () => {
    const peer = withUpload().feed(data(1, 'x'.repeat(1 << 20), true));
    expect(peer.events()).to.deep.equal(['end 1']);
  });

  it('refuses a larger DATA frame with FRAME_SIZE_ERROR', () => {
    const peer = withUpload().feed(frame(FrameType.DATA, 0, 1, '', (1 << 20) + 1));
    expectConnectionError(peer, 'FRAME_SIZE_ERROR');
  });

  it('refuses a larger HEADERS frame with FRAME_SIZE_ERROR', () => {
    expectConnectionError(
      server().feed(frame(FrameType.HEADERS, 4, 1, '', (1 << 20) + 1)),
      'FRAME_SIZE_ERROR',
    );
  });
});

describe('4.3 Header compression', () => {
  it('answers a block that cannot be decoded by COMPRESSION_ERROR', () => {
    const peer = server().feed(frame(FrameType.HEADERS, END_HEADERS | END_STREAM, 1, [0x40, 0xff, 0xff]));
    expectConnectionError(peer, 'COMPRESSION_ERROR');
  });

  it('answers a block interrupted by PRIORITY by PROTOCOL_ERROR', () => {
    const peer = server().feed(
      frame(FrameType.HEADERS, END_STREAM, 1, literalBlock(...REQUEST)),
      frame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 0, 1]),
    );
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'frame-sequence');
  });

  it('answers a block interrupted by HEADERS of another stream by PROTOCOL_ERROR', () => {
    const peer = server().feed(
      frame(FrameType.HEADERS, END_STREAM, 1, literalBlock(...REQUEST)),
      headers(3, REQUEST),
    );
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'frame-sequence');
  });

  it('answers a block interrupted by an unknown frame by PROTOCOL_ERROR', () => {
    const peer = server().feed(frame(FrameType.HEADERS, END_STREAM, 1), frame(0x42, 0, 1));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'frame-sequence');
  });
});

describe('5.1 Stream states', () => {
  const idle: [string, Buffer][] = [
    ['DATA', data(1, 'test', true)],
    ['RST_STREAM', frame(FrameType.RST_STREAM, 0, 1, uint32(8))],
    ['WINDOW_UPDATE', frame(FrameType.WINDOW_UPDATE, 0, 1, uint32(100))],
    ['CONTINUATION', frame(FrameType.CONTINUATION, END_HEADERS, 1, literalBlock(...REQUEST))],
  ];
  for (const [type, bytes] of idle)
    it(`idle: ${type} is a connection error`, () =>
      expectConnectionError(server().feed(bytes), 'PROTOCOL_ERROR'));

  it('half closed (remote): DATA is STREAM_CLOSED', () => {
    const peer = server().feed(headers(1, REQUEST, true), data(1, 'x', true));
    expectStreamError(peer, 'STREAM_CLOSED');
  });

  it('half closed (remote): HEADERS is STREAM_CLOSED', () => {
    const peer = server().feed(headers(1, REQUEST, true), headers(1, REQUEST, true));
    expectStreamError(peer, 'STREAM_CLOSED');
  });

  it('half closed (remote): CONTINUATION is a connection error', () => {
    const peer = server().feed(headers(1, REQUEST, true), idle[3]![1]);
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });

  it('half closed (remote): WINDOW_UPDATE, PRIORITY and RST_STREAM are taken', () => {
    const peer = server().feed(
      headers(1, REQUEST, true),
      frame(FrameType.WINDOW_UPDATE, 0, 1, uint32(1)),
      frame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 3, 1]),
      frame(FrameType.RST_STREAM, 0, 1, uint32(8)),
    );
    expect(peer.frames()).to.deep.equal([]);
    expect(peer.events().slice(1)).to.deep.equal(['reset 1 CANCEL remote', 'closed 1']);
  });

  const reset = (): RawPeer => withUpload().feed(frame(FrameType.RST_STREAM, 0, 1, uint32(8)));
  it('closed by RST_STREAM of the peer: DATA is STREAM_CLOSED', () =>
    expectStreamError(reset().feed(data(1, 'x')), 'STREAM_CLOSED'));
  it('closed by RST_STREAM of the peer: HEADERS is STREAM_CLOSED', () =>
    expectConnectionError(reset().feed(headers(1, REQUEST)), 'STREAM_CLOSED'));

  function answered(): RawPeer {
    const peer = server();
    peer.log.headers = (stream) => stream.sendHeaders([':status', '200'], true);
    peer.feed(headers(1, REQUEST, true));
    expect(peer.events().at(-1)).to.equal('closed 1');
    peer.frames();
    return peer;
  }
  it('closed: DATA is STREAM_CLOSED', () =>
    expectStreamError(answered().feed(data(1, 'x')), 'STREAM_CLOSED'));
  it('closed: HEADERS is STREAM_CLOSED', () =>
    expectConnectionError(answered().feed(headers(1, REQUEST, true)), 'STREAM_CLOSED'));
  it('closed: PRIORITY of a wrong length is FRAME_SIZE_ERROR all the same', () =>
    expectStreamError(answered().feed(frame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 3])), 'FRAME_SIZE_ERROR'));
  it('closed: WINDOW_UPDATE, RST_STREAM and PRIORITY are ignored', () => {
    const peer = answered().feed(
      frame(FrameType.WINDOW_UPDATE, 0, 1, uint32(1)),
      frame(FrameType.RST_STREAM, 0, 1, uint32(0)),
      frame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 3, 1]),
    );
    expect(peer.frames()).to.deep.equal([]);
    expect(peer.connection.closed).to.equal(false);
  });

  it('closed by our RST_STREAM: what was on its way is ignored, and counted on the connection', () => {
    const peer = withUpload();
    peer.log.streams[0]!.reset(8);
    expect(peer.events()).to.deep.equal(['closed 1']);
    peer.feed(
      data(1, 'x'.repeat(1 << 20)),
      headers(1, ['a', 'b'], true),
      frame(FrameType.WINDOW_UPDATE, 0, 1, uint32(9)),
    );
    expect(peer.events()).to.deep.equal([]);
    expect(peer.frames()).to.deep.equal(['RST_STREAM 1 CANCEL']);
    // Four times: the connection's window is given back although nobody consumes.
    for (let i = 0; i < 4; i++) peer.feed(data(1, 'x'.repeat(1 << 20)));
    expect(peer.frames()).to.deep.equal([`WINDOW_UPDATE 0 +${4 << 20}`]);
  });
});

describe('5.1.1 Stream identifiers', () => {
  it('even stream identifier', () =>
    expectConnectionError(server().feed(headers(2, REQUEST)), 'PROTOCOL_ERROR'));
  it('numerically smaller than previous, and never used', () => {
    const peer = server().feed(headers(5, REQUEST, true), headers(3, REQUEST, true));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'stream-id');
  });
  it('each id that was passed over, and none beside them', () => {
    for (const [id, code] of [
      [1, 'STREAM_CLOSED'],
      [3, 'PROTOCOL_ERROR'],
      [9, 'PROTOCOL_ERROR'],
      [11, 'STREAM_CLOSED'],
    ] as const) {
      const peer = server();
      peer.log.headers = (stream) => stream.sendHeaders([':status', '200'], true);
      peer.feed(headers(1, REQUEST, true), headers(11, REQUEST, true), headers(id, REQUEST, true));
      expectConnectionError(peer, code);
    }
  });
  it('opening a stream closes the idle ones below, whatever is sent on them', () => {
    const peer = server().feed(headers(5, REQUEST, true), data(3, 'x'));
    expectStreamError(peer, 'STREAM_CLOSED', 3);
  });
});

describe('5.1.2 Stream concurrency', () => {
  it('refuses streams beyond SETTINGS_MAX_CONCURRENT_STREAMS', () => {
    const peer = RawPeer.ready('server', { maxConcurrentStreams: 2 });
    peer.feed(headers(1, UPLOAD), headers(3, UPLOAD), headers(5, UPLOAD), data(5, 'x'));
    expect(peer.frames()).to.deep.equal(['RST_STREAM 5 REFUSED_STREAM']);
    expect(peer.connection.activeStreams).to.equal(2);
    peer.log.streams[0]!.reset(0);
    peer.events();
    expect(peer.feed(headers(7, UPLOAD)).events()).to.have.length(1);
  });
});

describe('5.3.1 Stream dependencies', () => {
  it('HEADERS that depend on themselves', () => {
    const payload = Buffer.concat([uint32(1), Buffer.from([1]), literalBlock(...REQUEST)]);
    const flags = END_HEADERS | END_STREAM | PRIORITY_FLAG;
    expectStreamError(server().feed(frame(FrameType.HEADERS, flags, 1, payload)), 'PROTOCOL_ERROR');
  });
  it('PRIORITY that depends on itself', () => {
    const peer = withUpload().feed(frame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 1, 1]));
    expectStreamError(peer, 'PROTOCOL_ERROR');
  });
  it('PRIORITY that depends on itself, on an idle stream', () => {
    const peer = server().feed(frame(FrameType.PRIORITY, 0, 1, [0x80, 0, 0, 1, 1]));
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });
  it('ignores any other priority', () => {
    const payload = Buffer.concat([uint32(0x8000_0000), Buffer.from([255]), literalBlock(...REQUEST)]);
    const peer = server().feed(
      frame(FrameType.PRIORITY, 0, 9, [0, 0, 0, 1, 1]),
      frame(FrameType.HEADERS, END_HEADERS | END_STREAM | PRIORITY_FLAG, 1, payload),
    );
    expect(peer.events()).to.have.length(1);
  });
});

describe('6.1 DATA', () => {
  it('on stream 0', () => expectConnectionError(server().feed(data(0, 'x')), 'PROTOCOL_ERROR'));
  it('delivers data without its padding', () => {
    const peer = withUpload().feed(frame(FrameType.DATA, PADDED | END_STREAM, 1, [2, 65, 66, 0, 0]));
    expect(peer.log.bodies.get(1)).to.equal('AB');
    expect(peer.events()).to.deep.equal(['end 1']);
  });
  it('delivers nothing of a frame that is all padding', () => {
    const peer = withUpload().feed(frame(FrameType.DATA, PADDED, 1, [2, 0, 0]));
    expect(peer.log.bodies.size).to.equal(0);
  });
  it('with invalid pad length', () =>
    expectConnectionError(
      withUpload().feed(frame(FrameType.DATA, PADDED, 1, [5, 65, 0, 0])),
      'PROTOCOL_ERROR',
      'padding',
    ));
  it('padded without room for the pad length', () =>
    expectConnectionError(withUpload().feed(frame(FrameType.DATA, PADDED, 1)), 'FRAME_SIZE_ERROR'));
});

describe('6.2 HEADERS', () => {
  it('on stream 0', () => expectConnectionError(server().feed(headers(0, REQUEST)), 'PROTOCOL_ERROR'));
  it('with padding', () => {
    const payload = Buffer.concat([Buffer.from([3]), literalBlock(...REQUEST), Buffer.alloc(3)]);
    const peer = server().feed(frame(FrameType.HEADERS, END_HEADERS | END_STREAM | PADDED, 1, payload));
    expect(peer.events()).to.have.length(1);
  });
  it('with invalid pad length', () => {
    const payload = Buffer.concat([Buffer.from([200]), literalBlock(...REQUEST)]);
    expectConnectionError(
      server().feed(frame(FrameType.HEADERS, END_HEADERS | PADDED, 1, payload)),
      'PROTOCOL_ERROR',
      'padding',
    );
  });
  it('with padding over the priority', () => {
    const bytes = frame(FrameType.HEADERS, END_HEADERS | PADDED | PRIORITY_FLAG, 1, [2, 0, 0, 0, 3, 1]);
    expectConnectionError(server().feed(bytes), 'PROTOCOL_ERROR', 'padding');
  });
  it('too short for its priority', () =>
    expectConnectionError(
      server().feed(frame(FrameType.HEADERS, END_HEADERS | PRIORITY_FLAG, 1, [0, 0, 0, 3])),
      'FRAME_SIZE_ERROR',
    ));
  it('empty but padded', () =>
    expectConnectionError(
      server().feed(frame(FrameType.HEADERS, END_HEADERS | PADDED, 1)),
      'PROTOCOL_ERROR',
    ));
});

describe('6.3 PRIORITY', () => {
  it('on stream 0', () =>
    expectConnectionError(server().feed(frame(FrameType.PRIORITY, 0, 0, [0, 0, 0, 1, 1])), 'PROTOCOL_ERROR'));
  it('with a length other than 5', () =>
    expectStreamError(withUpload().feed(frame(FrameType.PRIORITY, 0, 1, [0, 0, 0, 1])), 'FRAME_SIZE_ERROR'));
});

describe('6.4 RST_STREAM', () => {
  it('on stream 0', () =>
    expectConnectionError(server().feed(frame(FrameType.RST_STREAM, 0, 0, uint32(8))), 'PROTOCOL_ERROR'));
  it('with a length other than 4', () =>
    expectConnectionError(
      withUpload().feed(frame(FrameType.RST_STREAM, 0, 1, [0, 0, 0])),
      'FRAME_SIZE_ERROR',
    ));
  it('with an unknown error code', () => {
    const peer = withUpload().feed(frame(FrameType.RST_STREAM, 0, 1, uint32(0xffff_fff0)));
    expect(peer.events()).to.deep.equal(['reset 1 0xfffffff0 remote', 'closed 1']);
  });
});

describe('6.5 SETTINGS', () => {
  const wrong: [string, Buffer, string][] = [
    ['ACK with a payload', frame(FrameType.SETTINGS, ACK, 0, [0]), 'FRAME_SIZE_ERROR'],
    ['on a stream', frame(FrameType.SETTINGS, 0, 1, setting(3, 1)), 'PROTOCOL_ERROR'],
    ['with a length not a multiple of 6', frame(FrameType.SETTINGS, 0, 0, [0, 3, 0]), 'FRAME_SIZE_ERROR'],
    ['ENABLE_PUSH other than 0 or 1', frame(FrameType.SETTINGS, 0, 0, setting(2, 2)), 'PROTOCOL_ERROR'],
    [
      'INITIAL_WINDOW_SIZE above 2^31-1',
      frame(FrameType.SETTINGS, 0, 0, setting(4, 2 ** 31)),
      'FLOW_CONTROL_ERROR',
    ],
    ['MAX_FRAME_SIZE below 16384', frame(FrameType.SETTINGS, 0, 0, setting(5, 16_383)), 'PROTOCOL_ERROR'],
    ['MAX_FRAME_SIZE above 2^24-1', frame(FrameType.SETTINGS, 0, 0, setting(5, 2 ** 24)), 'PROTOCOL_ERROR'],
    [
      'ENABLE_CONNECT_PROTOCOL other than 0 or 1',
      frame(FrameType.SETTINGS, 0, 0, setting(8, 2)),
      'PROTOCOL_ERROR',
    ],
  ];
  for (const [title, bytes, code] of wrong)
    it(`6.5.2: ${title}`, () => expectConnectionError(server().feed(bytes), code));

  it('6.5.2: ENABLE_CONNECT_PROTOCOL taken back', () => {
    const peer = server().feed(
      frame(FrameType.SETTINGS, 0, 0, setting(8, 1)),
      frame(FrameType.SETTINGS, 0, 0, setting(8, 0)),
    );
    expectConnectionError(peer, 'PROTOCOL_ERROR');
  });
  for (const size of [16_384, 2 ** 24 - 1])
    it(`6.5.2: MAX_FRAME_SIZE of ${size} is taken`, () =>
      expect(
        server()
          .feed(frame(FrameType.SETTINGS, 0, 0, setting(5, size)))
          .frames(),
      ).to.deep.equal(['SETTINGS ack']));

  it('6.5.2: an unknown setting is ignored', () =>
    expect(
      server()
        .feed(frame(FrameType.SETTINGS, 0, 0, setting(0xff, 1)))
        .frames(),
    ).to.deep.equal(['SETTINGS ack']));
  it('6.5.3: the last of several values counts, and is acknowledged', () => {
    const payload = Buffer.concat([setting(3, 100), setting(3, 7)]);
    const peer = server().feed(frame(FrameType.SETTINGS, 0, 0, payload));
    expect(peer.frames()).to.deep.equal(['SETTINGS ack']);
    expect(peer.events()).to.deep.equal(['settings']);
    expect(peer.connection.peerMaxConcurrentStreams).to.equal(7);
  });
  it('6.5.3: the acknowledgement stands before anything that follows the new values', () => {
    const peer = server();
    peer.log.onRemoteSettings = () => peer.connection.ping(1);
    expect(peer.feed(frame(FrameType.SETTINGS, 0, 0)).frames()).to.deep.equal(['SETTINGS ack', 'PING']);
  });
});

describe('our own SETTINGS', () => {
  const offers = (settings: Partial<LocalSettings>): boolean =>
    new RawPeer('server', settings).output().includes(setting(8, 1));

  it('offer extended CONNECT only when told to (RFC 8441)', () => {
    expect(offers({})).to.equal(false);
    expect(offers({ enableConnectProtocol: true })).to.equal(true);
    expect(new RawPeer('client', { enableConnectProtocol: true }).output().includes(setting(8, 1))).to.equal(
      false,
    );
  });

  it('bind the table of the peer once acknowledged (4.3.1)', () => {
    const peer = RawPeer.ready('server', { headerTableSize: 0 }).feed(headers(1, REQUEST, true));
    expectConnectionError(peer, 'COMPRESSION_ERROR');
    const follows = Buffer.concat([Buffer.from([0x20]), literalBlock(...REQUEST)]);
    const other = RawPeer.ready('server', { headerTableSize: 0 }).feed(
      frame(FrameType.HEADERS, 5, 1, follows),
    );
    expect(other.events()).to.have.length(1);
  });
});

describe('6.6 PUSH_PROMISE', () => {
  it('from a client', () => {
    const peer = withUpload().feed(frame(FrameType.PUSH_PROMISE, END_HEADERS, 1, uint32(2)));
    expectConnectionError(peer, 'PROTOCOL_ERROR', 'push-refused');
  });
});

describe('6.7 PING', () => {
  it('is answered with its payload', () => {
    const peer = server().feed(frame(FrameType.PING, 0, 0, 'abcdefgh'));
    expect(peer.output().equals(frame(FrameType.PING, ACK, 0, 'abcdefgh'))).to.equal(true);
  });
  it('an answer is not answered', () => {
    const peer = server().feed(frame(FrameType.PING, ACK, 0, [0, 0, 0, 1, 0, 0, 0, 2]));
    expect(peer.frames()).to.deep.equal([]);
    expect(peer.events()).to.deep.equal([`pong ${2 ** 32 + 2}`]);
  });
  it('on a stream', () =>
    expectConnectionError(server().feed(frame(FrameType.PING, 0, 1, '12345678')), 'PROTOCOL_ERROR'));
  it('with a length other than 8', () =>
    expectConnectionError(server().feed(frame(FrameType.PING, 0, 0, '123456')), 'FRAME_SIZE_ERROR'));
});

describe('6.8 GOAWAY', () => {
  it('on a stream', () =>
    expectConnectionError(server().feed(frame(FrameType.GOAWAY, 0, 1, Buffer.alloc(8))), 'PROTOCOL_ERROR'));
  it('too short', () =>
    expectConnectionError(server().feed(frame(FrameType.GOAWAY, 0, 0, Buffer.alloc(7))), 'FRAME_SIZE_ERROR'));
  it('with debug text as long as a frame is told in part', () => {
    const payload = Buffer.concat([uint32(0), uint32(11), Buffer.alloc(100_000, 'x')]);
    const peer = server().feed(
      frame(FrameType.GOAWAY, 0, 0, payload),
      frame(FrameType.PING, 0, 0, '12345678'),
    );
    expect(peer.events()).to.deep.equal([`goaway 0 ENHANCE_YOUR_CALM ${'x'.repeat(512)}`]);
    expect(peer.frames()).to.deep.equal(['PING ack']);
  });
});

describe('6.9 WINDOW_UPDATE', () => {
  const update = (streamId: number, increment: number): Buffer =>
    frame(FrameType.WINDOW_UPDATE, 0, streamId, uint32(increment));
  it('with a zero increment, on the connection', () =>
    expectConnectionError(server().feed(update(0, 0)), 'PROTOCOL_ERROR'));
  it('with a zero increment, on a stream', () =>
    expectStreamError(withUpload().feed(update(1, 0)), 'PROTOCOL_ERROR'));
  it('with a length other than 4', () =>
    expectConnectionError(
      server().feed(frame(FrameType.WINDOW_UPDATE, 0, 0, [0, 0, 1])),
      'FRAME_SIZE_ERROR',
    ));
  it('6.9.1: the connection window above 2^31-1', () => {
    const peer = server().feed(update(0, 0x7fff_ffff));
    expectConnectionError(peer, 'FLOW_CONTROL_ERROR', 'window-overflow');
  });
  it('6.9.1: the connection window at exactly 2^31-1', () => {
    const peer = server().feed(update(0, 0x7fff_ffff - 65_535));
    expect(peer.connection.closed).to.equal(false);
  });
  it('6.9.1: a stream window above 2^31-1', () =>
    expectStreamError(withUpload().feed(update(1, 0x7fff_ffff)), 'FLOW_CONTROL_ERROR'));
  it('6.9.2: a stream window above 2^31-1 by SETTINGS', () => {
    const peer = withUpload().feed(
      update(1, 0x7fff_ffff - 65_535),
      frame(FrameType.SETTINGS, 0, 0, setting(4, 65_536)),
    );
    expectConnectionError(peer, 'FLOW_CONTROL_ERROR', 'window-overflow');
  });
});

describe('6.10 CONTINUATION', () => {
  const part = frame(FrameType.HEADERS, END_STREAM, 1, literalBlock(...REQUEST));
  const more = (flags: number, ...fields: string[]): Buffer =>
    frame(FrameType.CONTINUATION, flags, 1, literalBlock(...fields));

  it('several are joined', () => {
    const peer = server().feed(part, more(0, 'a', 'b'), more(END_HEADERS, 'c', 'd'));
    expect(peer.events()[0]).to.match(/:authority=a,a=b,c=d end$/);
  });
  it('a field may be cut anywhere', () => {
    const whole = literalBlock(...REQUEST, 'cookie', 'x');
    for (let cut = 0; cut <= whole.length; cut++) {
      const peer = server().feed(
        frame(FrameType.HEADERS, END_STREAM, 1, whole.subarray(0, cut)),
        frame(FrameType.CONTINUATION, END_HEADERS, 1, whole.subarray(cut)),
      );
      expect(peer.events()[0]).to.match(/cookie=x end$/);
    }
  });
  it('interrupted by another frame', () =>
    expectConnectionError(server().feed(part, more(0, 'a', 'b'), data(1, 'x')), 'PROTOCOL_ERROR'));
  it('on stream 0', () =>
    expectConnectionError(server().feed(part, frame(FrameType.CONTINUATION, 4, 0)), 'PROTOCOL_ERROR'));
  it('on another stream', () =>
    expectConnectionError(server().feed(part, frame(FrameType.CONTINUATION, 4, 3)), 'PROTOCOL_ERROR'));
  it('after END_HEADERS', () =>
    expectConnectionError(server().feed(headers(1, REQUEST), more(END_HEADERS)), 'PROTOCOL_ERROR'));
  it('after a CONTINUATION with END_HEADERS', () =>
    expectConnectionError(server().feed(part, more(END_HEADERS), more(END_HEADERS)), 'PROTOCOL_ERROR'));
  it('after DATA', () =>
    expectConnectionError(withUpload().feed(data(1, 'x'), more(END_HEADERS)), 'PROTOCOL_ERROR'));
});

describe('8.1 HTTP message framing', () => {
  it('a second HEADERS without END_STREAM', () =>
    expectStreamError(withUpload().feed(headers(1, ['a', 'b'])), 'PROTOCOL_ERROR'));
  it('trailers end the request', () => {
    const peer = withUpload().feed(data(1, 'x'), headers(1, ['a', 'b'], true));
    expect(peer.events()).to.deep.equal(['trailers 1 a=b']);
    expect(peer.log.streams[0]!.remoteClosed).to.equal(true);
  });
  it('8.1.2.1: a pseudo-header in trailers', () =>
    expectStreamError(withUpload().feed(headers(1, [':method', 'GET'], true)), 'PROTOCOL_ERROR'));
  it('8.1.2: an upper-case name in trailers', () =>
    expectStreamError(withUpload().feed(headers(1, ['A', 'b'], true)), 'PROTOCOL_ERROR'));

  const sized = (length: string): Buffer => headers(1, [...UPLOAD, 'content-length', length]);
  it('8.1.2.6: content-length differs from one DATA frame', () =>
    expectStreamError(server().feed(sized('1'), data(1, 'test', true)), 'PROTOCOL_ERROR'));
  it('8.1.2.6: content-length differs from the sum of DATA frames', () =>
    expectStreamError(server().feed(sized('9'), data(1, 'test'), data(1, 'test', true)), 'PROTOCOL_ERROR'));
  it('8.1.2.6: content-length without a body', () =>
    expectStreamError(server().feed(headers(1, [...UPLOAD, 'content-length', '1'], true)), 'PROTOCOL_ERROR'));
  it('8.1.2.6: content-length of 0 without a body', () => {
    const peer = server().feed(headers(1, [...UPLOAD, 'content-length', '0'], true));
    expect(peer.events()).to.have.length(1);
  });
  it('8.1.2.6: content-length cut short by trailers', () =>
    expectStreamError(server().feed(sized('9'), headers(1, ['a', 'b'], true)), 'PROTOCOL_ERROR'));
  it('8.1.2.6: content-length passed by padding only', () => {
    const peer = server().feed(sized('1'), frame(FrameType.DATA, PADDED | END_STREAM, 1, [2, 65, 0, 0]));
    expect(peer.log.bodies.get(1)).to.equal('A');
  });
  it('8.1.2.6: content-length that fits', () => {
    const peer = server().feed(sized('8'), data(1, 'test'), data(1, 'test'), data(1, '', true));
    expect(peer.events().at(-1)).to.equal('end 1');
  });

  it('8.3.1: a malformed request never becomes a stream, and the owner can log why', () => {
    const peer = server().feed(
      headers(1, [...REQUEST, 'connection', 'close'], true),
      headers(3, [...REQUEST, 'Upper', 'x'], true),
      headers(5, [...REQUEST, 'x', 'a\nb'], true),
    );
    expect(peer.events()).to.deep.equal([]);
    expect(peer.log.refused).to.deep.equal([
      '1 malformed-message: connection',
      '3 malformed-message: a field name is not a lower-case token',
      '5 malformed-message: a field value holds a forbidden character',
    ]);
    expectStreamError(peer, 'PROTOCOL_ERROR');
  });

  for (const [title, fields, status] of [
    ['a CONNECT that was refused', TUNNEL, '503'],
    ['another request that was answered', UPLOAD, '200'],
  ] as const)
    it(`8.5: trailers of ${title} are taken`, () => {
      const peer = server();
      peer.log.headers = (stream) => stream.sendHeaders([':status', status], false);
      peer.feed(headers(1, [...fields]), headers(1, ['a', 'b'], true));
      expect(peer.events().at(-1)).to.equal('trailers 1 a=b');
    });

  it('8.5: CONNECT ends with trailers refused once it is a tunnel', () => {
    const peer = server();
    peer.log.headers = (stream) => stream.sendHeaders([':status', '200'], false);
    peer.feed(headers(1, [':method', 'CONNECT', ':authority', 'a:1']), headers(1, ['a', 'b'], true));
    expectStreamError(peer, 'PROTOCOL_ERROR');
  });
});
