import { once } from 'node:events';
import type { Socket } from 'node:net';
import { expect } from 'chai';
import { memoryBytes } from '@ambient/testkit/lab';
import {
  connectFrame,
  dataFrame,
  frame,
  FrameType,
  goawayFrame,
  resetFrame,
  Setting,
} from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, useRig } from './rig.ts';

const STREAM_WINDOW = 4 << 20;

/** The application's side of one connection: what came, and how it ended. */
class AppSide {
  readonly socket: Socket;
  received = 0;
  text = '';
  sawEnd = false;
  readonly gone: Promise<string>;

  constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (bytes: Buffer) => {
      this.received += bytes.length;
      if (this.received < 1000) this.text += bytes.toString('latin1');
    });
    socket.on('end', () => (this.sawEnd = true));
    this.gone = new Promise((resolve) => {
      socket.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'error'));
      socket.on('close', () => resolve('closed'));
    });
  }
}

describe('manners of peers and applications at the end of a connection', () => {
  const rig = useRig();

  let appPort = 7200;
  let appAddress = '';

  /** The next connection of an application that listens on a port of its own. */
  function nextConnection(): Promise<AppSide> {
    appPort++;
    appAddress = `${rig().server.ipv4}:${appPort}`;
    return new Promise((resolve) => {
      rig().listen(appPort, (socket) => resolve(new AppSide(socket)));
    });
  }

  it('the peer half-closes: what the application sends afterwards still comes', async () => {
    const connection = nextConnection();
    const peer = await rig().attack();
    peer.send(connectFrame(1, appAddress), dataFrame(1, 'question', true));
    const app = await connection;
    await once(app.socket, 'end');
    expect(app.text).to.equal('question');
    app.socket.end('answer after the end');
    await peer.waitFor(() => (peer.streamEnded(1) ? true : undefined), 'end of the stream');
    expect(String(peer.received(1))).to.equal('answer after the end');
    await rig().verdict(peer, {
      message: 'connection complete',
      reason: undefined,
      bytes_sent: 20,
      bytes_recv: 8,
    });
  });

  it('the application half-closes: what the peer sends afterwards still comes', async () => {
    const connection = nextConnection();
    const peer = await rig().attack();
    peer.send(connectFrame(1, appAddress));
    const app = await connection;
    app.socket.end('nothing more from me');
    await peer.waitFor(() => (peer.streamEnded(1) ? true : undefined), 'end of the stream');
    peer.send(dataFrame(1, 'but I '), dataFrame(1, 'go on', true));
    expect(await app.gone).to.equal('closed');
    expect(app.text).to.equal('but I go on');
    await rig().verdict(peer, { message: 'connection complete', reason: undefined });
  });

  it('TCP reset in the midst of a frame: the application sees a reset, not an end', async () => {
    const connection = nextConnection();
    const peer = await rig().attack();
    peer.send(connectFrame(1, appAddress));
    const app = await connection;
    expect(await peer.answer(1)).to.equal('200');
    await peer.sendAll(frame(FrameType.DATA, 0, 1, 'the first half', 1000));
    await once(app.socket, 'data');
    peer.reset();
    expect(await app.gone).to.equal('ECONNRESET');
    expect(app.sawEnd).to.equal(false);
    await rig().verdict(peer, { message: 'connection complete', reason: /^(connection-lost|ECONNRESET)$/ });
  });

  it('TCP end in the midst of a frame, without the end of TLS: the application sees a reset', async () => {
    const connection = nextConnection();
    const peer = await rig().attack();
    peer.send(connectFrame(1, appAddress));
    const app = await connection;
    expect(await peer.answer(1)).to.equal('200');
    await peer.sendAll(frame(FrameType.DATA, 0, 1, 'the first half', 1000));
    await once(app.socket, 'data');
    peer.destroy();
    expect(await app.gone).to.equal('ECONNRESET');
    await rig().verdict(peer, { message: 'connection complete', reason: /./ });
  });

  for (const code of ['INTERNAL_ERROR', 'REFUSED_STREAM'] as const)
    it(`RST_STREAM ${code} in the midst: the application sees a reset, the sibling goes on`, async () => {
      const connection = nextConnection();
      const peer = await rig().attack();
      peer.send(connectFrame(1, appAddress), connectFrame(3, `10.77.0.2:${ECHO_PORT}`));
      const app = await connection;
      expect(await peer.answer(1)).to.equal('200');
      peer.send(dataFrame(1, 'half'), resetFrame(1, code), dataFrame(3, 'sibling'));
      expect(await app.gone).to.equal('ECONNRESET');
      await peer.waitFor(() => (String(peer.received(3)) === 'sibling' ? true : undefined), 'echo');
      await rig().verdict(peer, { message: 'connection complete', reason: 'reset' });
    });

  for (const code of ['NO_ERROR', 'CANCEL'] as const)
    it(`RST_STREAM ${code}: the application sees an orderly end`, async () => {
      const connection = nextConnection();
      const peer = await rig().attack();
      peer.send(connectFrame(1, appAddress));
      const app = await connection;
      expect(await peer.answer(1)).to.equal('200');
      peer.send(dataFrame(1, 'all of it'), resetFrame(1, code));
      await once(app.socket, 'end');
      expect(app.text).to.equal('all of it');
      await rig().verdict(peer, { message: 'connection complete' });
    });

  it('GOAWAY of a client: its tunnels finish', async () => {
    const connection = nextConnection();
    const peer = await rig().attack();
    peer.send(connectFrame(1, appAddress));
    const app = await connection;
    expect(await peer.answer(1)).to.equal('200');
    peer.send(goawayFrame(0, 'NO_ERROR'), dataFrame(1, 'after the goodbye', true));
    await once(app.socket, 'end');
    expect(app.text).to.equal('after the goodbye');
    app.socket.end('and back');
    await peer.waitFor(() => (peer.streamEnded(1) ? true : undefined), 'end of the stream');
    expect(String(peer.received(1))).to.equal('and back');
    await peer.waitForEnd();
  });

  it('the application resets mid-transfer: the peer sees a reset of the tunnel, not an end', async () => {
    const connection = nextConnection();
    const peer = await rig().attack();
    peer.send(connectFrame(1, appAddress), connectFrame(3, `10.77.0.2:${ECHO_PORT}`));
    const app = await connection;
    app.socket.write('half of ');
    await peer.waitFor(() => (String(peer.received(1)) === 'half of ' ? true : undefined), 'half');
    app.socket.resetAndDestroy();
    await peer.waitForFrame((each) => each.type === FrameType.RST_STREAM && each.stream === 1);
    expect(peer.streamEnded(1)).to.equal(false);
    peer.send(dataFrame(3, 'sibling'));
    await peer.waitFor(() => (String(peer.received(3)) === 'sibling' ? true : undefined), 'echo');
    await rig().verdict(peer, { message: 'connection complete', reason: 'ECONNRESET' });
  });

  it('through both proxies: the application resets, and the caller sees a reset', async () => {
    const connection = nextConnection();
    const caller = rig().callFromClient(rig().server.ipv4, appPort);
    const app = await connection;
    app.socket.write('half of ');
    await once(caller.stream, 'data');
    app.socket.resetAndDestroy();
    expect(await caller.waitForEnd()).to.equal('reset');
    expect(caller.sawEof).to.equal(false);
    await rig().outboundVerdict(appAddress, { message: 'connection complete', reason: 'reset' });
  });

  it('through both proxies: the caller resets, and the application sees a reset', async () => {
    const connection = nextConnection();
    const caller = rig().callFromClient(rig().server.ipv4, appPort);
    caller.send(Buffer.from('half of '));
    const app = await connection;
    await once(app.socket, 'data');
    caller.reset();
    expect(await app.gone).to.equal('ECONNRESET');
    expect(app.sawEnd).to.equal(false);
    await rig().outboundVerdict(appAddress, { message: 'connection complete', reason: 'ECONNRESET' });
  });

  it('the application never reads while the peer sends: what is held stays within the stream window', async () => {
    await rig().serve('slow-reader', { port: 7301, rate: 0 });
    const peer = await rig().attack();
    peer.send(connectFrame(1, '10.77.0.2:7301'));
    expect(await peer.answer(1)).to.equal('200');
    const before = memoryBytes(rig().server.proxy.pid, 'RssAnon');
    await rig().unharmed(async () => {
      // Everything that the windows and the kernel take, and then nothing comes back: a well-behaved sender would wait.
      let left = STREAM_WINDOW;
      while (left > 0) {
        await peer.sendAll(dataFrame(1, Buffer.alloc(16_384)));
        left -= 16_384;
      }
      peer.send(frame(FrameType.PING, 0, 0, 'all read'));
      await peer.waitForFrame(
        (each) => each.type === FrameType.PING && each.payload.toString('latin1') === 'all read',
      );
    });
    expect(memoryBytes(rig().server.proxy.pid, 'RssAnon') - before).to.be.below(STREAM_WINDOW + (6 << 20));
  });

  it('the peer never reads while the application sends, and offers endless windows: memory stays bounded', async () => {
    const connection = nextConnection();
    const peer = await rig().attack({
      [Setting.INITIAL_WINDOW_SIZE]: 0x7fff_ffff,
      [Setting.MAX_FRAME_SIZE]: 0xff_ffff,
    });
    peer.send(frame(FrameType.WINDOW_UPDATE, 0, 0, Buffer.from('7fff0000', 'hex')));
    peer.send(connectFrame(1, appAddress));
    const app = await connection;
    expect(await peer.answer(1)).to.equal('200');
    peer.stopReading();
    const before = memoryBytes(rig().server.proxy.pid, 'RssAnon');
    await rig().unharmed(async () => {
      const piece = Buffer.alloc(1 << 20);
      let stalled = false;
      for (let sent = 0; sent < 64 && !stalled; sent++)
        stalled = await stalls(app.socket, piece, () => rig().goodRound());
      expect(stalled, 'the application was held back').to.equal(true);
    });
    expect(memoryBytes(rig().server.proxy.pid, 'RssAnon') - before).to.be.below(12 << 20);
  });
});

/** Writes, and tells whether the write still waits after `meanwhile`, three times over. */
async function stalls(socket: Socket, bytes: Buffer, meanwhile: () => Promise<void>): Promise<boolean> {
  let written = false;
  socket.write(bytes, () => (written = true));
  for (let round = 0; round < 3 && !written; round++) await meanwhile();
  return !written;
}
