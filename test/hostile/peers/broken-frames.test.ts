import { expect } from 'chai';
import {
  CLIENT_PREFACE,
  connectFrame,
  dataFrame,
  END_HEADERS,
  ERROR_CODES,
  frame,
  FrameType,
  headersFrame,
  Setting,
  settingsFrame,
  windowUpdateFrame,
} from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, HBONE_PORT, useRig } from './rig.ts';

const ECHO = `10.77.0.2:${ECHO_PORT}`; // the second pod: server
const PADDED = 0x8;
const MAX_WINDOW = 0x7fff_ffff;

interface Breach {
  readonly name: string;
  readonly bytes: Buffer;
  readonly reason: string;
}

/** Each ends the connection. Stream 1 is an open tunnel by then, which must not end cleanly for its application. */
const connectionBreaches: readonly Breach[] = [
  { name: 'DATA on stream 0', bytes: dataFrame(0, 'x'), reason: 'stream-id' },
  { name: 'DATA on an idle stream', bytes: dataFrame(9, 'x'), reason: 'stream-id' },
  { name: 'HEADERS on an even stream', bytes: connectFrame(2, ECHO), reason: 'stream-id' },
  {
    name: 'PUSH_PROMISE from a client',
    bytes: frame(FrameType.PUSH_PROMISE, END_HEADERS, 1, 'abcd'),
    reason: 'push-refused',
  },
  {
    name: 'a frame above MAX_FRAME_SIZE',
    bytes: frame(FrameType.DATA, 0, 1, '', 2 << 20),
    reason: 'frame-size',
  },
  { name: 'a PING of seven bytes', bytes: frame(FrameType.PING, 0, 0, 'seven..'), reason: 'frame-size' },
  {
    name: 'SETTINGS cut within an entry',
    bytes: frame(FrameType.SETTINGS, 0, 0, 'four'),
    reason: 'frame-size',
  },
  {
    name: 'SETTINGS_MAX_FRAME_SIZE of 1',
    bytes: settingsFrame({ [Setting.MAX_FRAME_SIZE]: 1 }),
    reason: 'settings-value',
  },
  {
    name: 'SETTINGS_INITIAL_WINDOW_SIZE of 2^31',
    bytes: settingsFrame({ [Setting.INITIAL_WINDOW_SIZE]: 2 ** 31 }),
    reason: 'window-overflow',
  },
  {
    name: 'connection window above 2^31-1',
    bytes: windowUpdateFrame(0, MAX_WINDOW),
    reason: 'window-overflow',
  },
  { name: 'connection window grown by 0', bytes: windowUpdateFrame(0, 0), reason: 'window-increment' },
  {
    name: 'padding longer than the frame',
    bytes: frame(FrameType.DATA, PADDED, 1, Buffer.from([200, 1, 2])),
    reason: 'padding',
  },
  {
    name: 'a header block that cannot be decoded',
    bytes: frame(FrameType.HEADERS, END_HEADERS, 3, Buffer.from([0xff, 0xff, 0xff, 0xff, 0xff, 0xff])),
    reason: 'compression',
  },
  {
    name: 'an index beyond the header table',
    bytes: frame(FrameType.HEADERS, END_HEADERS, 3, Buffer.from([0x80 | 100])),
    reason: 'compression',
  },
  {
    name: 'headers interrupted by DATA',
    bytes: Buffer.concat([frame(FrameType.HEADERS, 0, 3, ''), dataFrame(1, 'x')]),
    reason: 'frame-sequence',
  },
  {
    name: 'CONTINUATION out of nowhere',
    bytes: frame(FrameType.CONTINUATION, END_HEADERS, 1, ''),
    reason: 'frame-sequence',
  },
];

interface StreamBreach extends Breach {
  readonly answer: string;
}

/** Each costs its tunnel, and nothing else in the connection. */
const streamBreaches: readonly StreamBreach[] = [
  {
    name: 'stream window above 2^31-1',
    bytes: windowUpdateFrame(1, MAX_WINDOW),
    answer: 'FLOW_CONTROL_ERROR',
    reason: 'window-overflow',
  },
  {
    name: 'stream window grown by 0',
    bytes: windowUpdateFrame(1, 0),
    answer: 'PROTOCOL_ERROR',
    reason: 'window-increment',
  },
  {
    name: 'trailers in a tunnel',
    bytes: headersFrame(1, ['x', 'y'], true),
    answer: 'PROTOCOL_ERROR',
    reason: 'malformed-message',
  },
  {
    name: 'data behind the end of the stream',
    bytes: Buffer.concat([dataFrame(1, '', true), dataFrame(1, 'x')]),
    answer: 'STREAM_CLOSED',
    reason: 'stream-state',
  },
];

describe('broken HTTP/2 against an HBONE server', () => {
  const rig = useRig();

  for (const { name, bytes, reason } of connectionBreaches)
    it(`${name}: the connection ends as ${reason}`, async () => {
      const peer = await rig().attack();
      peer.send(connectFrame(1, ECHO), dataFrame(1, 'before'));
      await peer.waitFor(() => (String(peer.received(1)) === 'before' ? true : undefined), 'echo');
      peer.send(bytes);
      await peer.waitForEnd();
      await rig().verdict(peer, { reason, message: 'connection failed' });
      await rig().verdict(peer, { reason, message: 'connection complete', bytes_sent: 6 });
    });

  for (const { name, bytes, answer, reason } of streamBreaches)
    it(`${name}: the tunnel ends as ${reason}, its sibling goes on`, async () => {
      const peer = await rig().attack();
      peer.send(connectFrame(1, ECHO), connectFrame(3, ECHO));
      expect(await peer.answer(3)).to.equal('200');
      expect(await peer.answer(1)).to.equal('200');
      peer.send(bytes);
      const reset = await peer.waitForFrame(
        (each) => each.type === FrameType.RST_STREAM && each.stream === 1,
      );
      expect(errorName(reset.payload)).to.equal(answer);
      peer.send(dataFrame(3, 'still open'));
      await peer.waitFor(() => (String(peer.received(3)) === 'still open' ? true : undefined), 'echo');
      await rig().verdict(peer, { reason, message: 'connection complete' });
    });

  it('more than the stream window: the tunnel ends as flow-control, its sibling goes on', async () => {
    await rig().serve('slow-reader', { port: 7100, rate: 0 });
    const peer = await rig().attack();
    peer.send(connectFrame(1, '10.77.0.2:7100'), connectFrame(3, ECHO));
    expect(await peer.answer(1)).to.equal('200');
    const frames = Array.from({ length: 1 + (24 << 20) / 16_384 }, () => dataFrame(1, Buffer.alloc(16_384)));
    peer.send(...frames);
    const reset = await peer.waitForFrame((each) => each.type === FrameType.RST_STREAM && each.stream === 1);
    expect(errorName(reset.payload)).to.equal('FLOW_CONTROL_ERROR');
    peer.send(dataFrame(3, 'still open'));
    await peer.waitFor(() => (String(peer.received(3)) === 'still open' ? true : undefined), 'echo');
    await rig().verdict(peer, { reason: 'flow-control', message: 'connection complete' });
  });

  const starts: readonly { readonly name: string; readonly bytes: Buffer }[] = [
    { name: 'an HTTP/1.1 request', bytes: Buffer.from('GET / HTTP/1.1\r\nhost: a\r\n\r\n') },
    { name: 'random bytes', bytes: Buffer.from('c0ffee00badc0de0c0ffee00badc0de0c0ffee00badc0de0', 'hex') },
    {
      name: 'a preface with its last byte wrong',
      bytes: Buffer.concat([CLIENT_PREFACE.subarray(0, 23), Buffer.from('!')]),
    },
    {
      name: 'a preface, and PING instead of SETTINGS',
      bytes: Buffer.concat([CLIENT_PREFACE, frame(FrameType.PING, 0, 0, 'eight...')]),
    },
  ];
  for (const { name, bytes } of starts)
    it(`TLS and then ${name}: the connection ends as not-http2`, async () => {
      const peer = await rig().attackTls();
      peer.send(bytes);
      await peer.waitForEnd();
      await rig().verdict(peer, { reason: 'not-http2', message: 'connection failed' });
    });

  it('garbage in the midst of TLS: the connection ends as a TLS failure', async () => {
    const peer = await rig().attack();
    peer.send(connectFrame(1, ECHO));
    expect(await peer.answer(1)).to.equal('200');
    peer.sendBelowTls(Buffer.from('these bytes are no TLS record, whatever they are'));
    await peer.waitForEnd();
    const line = await rig().verdict(peer, { message: 'connection complete' });
    expect(line['reason']).to.equal('not-tls');
  });

  it('TLS that ends right after the handshake: said, and nothing held', async () => {
    const peer = await rig().attackTls();
    peer.destroy();
    await rig().verdict(peer, { message: 'connection failed', 'dst.addr': `10.77.0.2:${HBONE_PORT}` });
  });
});

function errorName(payload: Buffer): string | undefined {
  return ERROR_CODES[payload.readUInt32BE(0)];
}
