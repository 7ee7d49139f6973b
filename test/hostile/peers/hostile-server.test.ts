import { once } from 'node:events';
import { expect } from 'chai';
import {
  dataFrame,
  frame,
  FrameType,
  goawayFrame,
  headersFrame,
  nextRequest,
  resetFrame,
  Setting,
  windowUpdateFrame,
} from '@ambient/testkit/hostile-peer';
import type { HostilePeer } from '@ambient/testkit/hostile-peer';
import { useRig } from './rig.ts';

const accepted = (stream: number, end = false): Buffer => headersFrame(stream, [':status', '200'], end);

/** Starts HTTP/2 and waits for the first request. @returns its stream */
async function takeRequest(
  peer: HostilePeer,
  settings: Readonly<Record<number, number>> = {},
): Promise<number> {
  await peer.start(settings);
  return nextRequest(peer);
}

describe('hostile HBONE servers against our client side', () => {
  const rig = useRig();

  before(async () => {
    await rig().admitAttacker();
  });

  /** A caller of a port of the attacker's that no other test calls. */
  class Call {
    readonly peer: HostilePeer;
    readonly #to: string;

    constructor() {
      port++;
      this.#to = `${rig().attacker.ipv4}:${port}`;
      this.peer = rig().callFromClient(rig().attacker.ipv4, port);
    }

    ended(reason: string | RegExp | undefined): Promise<unknown> {
      return rig().outboundVerdict(this.#to, { message: 'connection complete', reason });
    }
  }
  let port = 1000;

  interface Answering {
    readonly name: string;
    readonly reason: string;
    /** What the server says to the request on `stream`. */
    readonly says: (stream: number) => Buffer;
  }

  const bad: readonly Answering[] = [
    { name: '400', reason: 'refused-400', says: (stream) => headersFrame(stream, [':status', '400'], true) },
    { name: '401', reason: 'refused-401', says: (stream) => headersFrame(stream, [':status', '401'], true) },
    { name: '404', reason: 'refused', says: (stream) => headersFrame(stream, [':status', '404'], true) },
    { name: '500', reason: 'refused', says: (stream) => headersFrame(stream, [':status', '500'], true) },
    { name: '503', reason: 'refused-503', says: (stream) => headersFrame(stream, [':status', '503'], true) },
    {
      name: '204, which is no 200',
      reason: 'refused',
      says: (stream) => headersFrame(stream, [':status', '204'], true),
    },
    { name: 'no :status', reason: 'malformed-message', says: (stream) => headersFrame(stream, ['x', 'y']) },
    {
      name: ':status abc',
      reason: 'malformed-message',
      says: (stream) => headersFrame(stream, [':status', 'abc']),
    },
    {
      name: 'a request instead of an answer',
      reason: 'malformed-message',
      says: (stream) => headersFrame(stream, [':method', 'CONNECT', ':authority', 'a:1']),
    },
    {
      name: 'a final answer that is a 1xx',
      reason: 'malformed-message',
      says: (stream) => headersFrame(stream, [':status', '103'], true),
    },
    {
      name: 'data before the answer',
      reason: 'malformed-message',
      says: (stream) => dataFrame(stream, 'too early'),
    },
    {
      name: 'a second answer',
      reason: 'malformed-message',
      says: (stream) => Buffer.concat([accepted(stream), accepted(stream)]),
    },
    {
      name: 'headers above the limit',
      reason: 'header-list-too-large',
      says: (stream) =>
        headersFrame(stream, [':status', '200', 'x', 'y'.repeat(16_000), 'z', 'z'.repeat(300)]),
    },
    { name: 'INTERNAL_ERROR', reason: 'reset', says: (stream) => resetFrame(stream, 'INTERNAL_ERROR') },
    {
      name: 'bytes that are no frames',
      reason: 'frame-size',
      says: () => Buffer.from('HTTP/1.1 200 OK\r\n\r\n'),
    },
    {
      name: 'a pushed stream',
      reason: 'push-refused',
      says: () => frame(FrameType.PUSH_PROMISE, 4, 1, 'abcd'),
    },
    {
      name: 'a PING flood',
      reason: 'ping-flood',
      says: () => Buffer.concat(Array.from({ length: 3000 }, () => frame(FrameType.PING, 0, 0, 'eight...'))),
    },
  ];

  for (const { name, reason, says } of bad)
    it(`answers CONNECT with ${name}: the caller is cut off, for ${reason}`, async () => {
      rig().serveHostile(async (peer) => {
        peer.send(says(await takeRequest(peer)));
      });
      const call = new Call();
      await call.peer.waitForEnd();
      await call.ended(reason);
    });

  it('never answers CONNECT: the caller may give up, and takes the tunnel with it', async () => {
    const server = rig().serveHostile(async (peer) => {
      await takeRequest(peer);
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    await rig().unharmed(async () => {
      const peer = await server.accepted();
      const stream = await nextRequest(peer);
      caller.reset();
      await peer.waitForFrame((each) => each.type === FrameType.RST_STREAM && each.stream === stream);
    });
    await callerCall.ended(/./);
  });

  it('interim answers before the final one: passed over', async () => {
    rig().serveHostile(async (peer) => {
      const stream = await takeRequest(peer);
      peer.send(
        headersFrame(stream, [':status', '103', 'link', '</a>']),
        headersFrame(stream, [':status', '100']),
      );
      peer.send(accepted(stream), dataFrame(stream, 'after all', true));
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    await once(caller.stream, 'end');
    expect(String(caller.bytes)).to.equal('after all');
    caller.stream.end();
    await callerCall.ended(undefined);
  });

  it('REFUSED_STREAM: the call is asked for once more, then the caller is cut off', async () => {
    const server = rig().serveHostile(async (peer) => {
      let stream = await takeRequest(peer);
      for (; peer.end === undefined; stream = await nextRequest(peer, stream).catch(() => 0))
        peer.send(resetFrame(stream, 'REFUSED_STREAM'));
    });
    const call = new Call();
    await call.peer.waitForEnd();
    await call.ended('reset');
    expect(server.peers).to.have.length(1);
    expect(requests(server.peers[0]!)).to.equal(2);
  });

  it('GOAWAY at once: a second connection is tried, then the caller is cut off; the next call makes a new one', async () => {
    const server = rig().serveHostile(async (peer) => {
      await peer.start();
      peer.send(goawayFrame(0, 'NO_ERROR'));
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    await caller.waitForEnd();
    await callerCall.ended(/^(reset|connection-lost|shut-down)$/);
    server.script = async (peer) => {
      const stream = await takeRequest(peer);
      peer.send(accepted(stream), dataFrame(stream, 'second try', true));
    };
    const again = new Call().peer;
    await once(again.stream, 'end');
    expect(String(again.bytes)).to.equal('second try');
    expect(server.peers).to.have.length(3);
  });

  it('GOAWAY in the midst: the open tunnel finishes, the next call makes a new connection', async () => {
    const server = rig().serveHostile(async (peer) => {
      const stream = await takeRequest(peer);
      peer.send(accepted(stream), dataFrame(stream, 'before, '), goawayFrame(stream, 'NO_ERROR'));
    });
    const first = new Call().peer;
    await once(first.stream, 'data');
    const second = new Call().peer;
    await server.accepted(2);
    const [old, fresh] = server.peers as [HostilePeer, HostilePeer];
    expect(await nextRequest(fresh)).to.equal(1);
    first.send(Buffer.from('still said'));
    await old.waitFor(
      () => (String(old.received(1)) === 'still said' ? true : undefined),
      'data after GOAWAY',
    );
    old.send(dataFrame(1, 'after', true));
    await once(first.stream, 'end');
    expect(String(first.bytes)).to.equal('before, after');
    first.stream.end();
    await old.waitForEnd();
    second.reset();
  });

  it('the connection breaks in the midst: the caller sees a reset, not an end', async () => {
    rig().serveHostile(async (peer) => {
      const stream = await takeRequest(peer);
      await peer.sendAll(accepted(stream), dataFrame(stream, 'half of '));
      await peer.waitFor(() => (peer.received(stream).length > 0 ? true : undefined), 'word of the caller');
      peer.reset();
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    await once(caller.stream, 'data');
    caller.send(Buffer.from('go on'));
    expect(await caller.waitForEnd()).to.equal('reset');
    expect(caller.sawEof).to.equal(false);
    await callerCall.ended(/^(connection-lost|ECONNRESET)$/);
  });

  it('MAX_CONCURRENT_STREAMS of 1: a second call gets a connection of its own', async () => {
    const server = rig().serveHostile(async (peer) => {
      const stream = await takeRequest(peer, { [Setting.MAX_CONCURRENT_STREAMS]: 1 });
      peer.send(accepted(stream), dataFrame(stream, 'served'));
    });
    const first = new Call().peer;
    await once(first.stream, 'data');
    const second = new Call().peer;
    await once(second.stream, 'data');
    expect(server.peers).to.have.length(2);
    for (const peer of server.peers) expect(requests(peer)).to.equal(1);
  });

  it('MAX_CONCURRENT_STREAMS of 0: every call fails soon, and no storm of connections follows', async () => {
    const server = rig().serveHostile(async (peer) => {
      let stream = await takeRequest(peer, { [Setting.MAX_CONCURRENT_STREAMS]: 0 });
      for (; peer.end === undefined; stream = await nextRequest(peer, stream).catch(() => 0))
        peer.send(resetFrame(stream, 'REFUSED_STREAM'));
    });
    const callers = [new Call(), new Call(), new Call()];
    await Promise.all(callers.map((each) => each.peer.waitForEnd()));
    for (const each of callers) await each.ended('reset');
    expect(server.peers.length).to.be.at.most(2 * callers.length);
  });

  it('a window of 0: what the caller says waits for the window, and is not held in memory without end', async () => {
    const server = rig().serveHostile(async (peer) => {
      const stream = await takeRequest(peer, { [Setting.INITIAL_WINDOW_SIZE]: 0 });
      peer.send(accepted(stream), dataFrame(stream, 'hello'));
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    caller.send(Buffer.from('patience'));
    await once(caller.stream, 'data');
    const peer = await server.accepted();
    await rig().goodRound();
    expect(peer.received(1).length, 'more than the window').to.equal(0);
    for (let byte = 1; byte <= 8; byte++) {
      peer.send(windowUpdateFrame(1, 1));
      await peer.waitFor(() => (peer.received(1).length === byte ? true : undefined), `byte ${byte}`);
    }
    expect(String(peer.received(1))).to.equal('patience');
  });

  it('the smallest frames: nothing longer is sent', async () => {
    const server = rig().serveHostile(async (peer) => {
      const stream = await takeRequest(peer, { [Setting.INITIAL_WINDOW_SIZE]: 1 << 20 });
      peer.send(windowUpdateFrame(0, 1 << 20), accepted(stream));
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    caller.send(Buffer.alloc(200_000, 'x'));
    const peer = await server.accepted();
    await peer.waitFor(() => (peer.received(1).length === 200_000 ? true : undefined), '200,000 bytes');
    expect(Math.max(...peer.frames.map((each) => each.payload.length))).to.be.at.most(16_384);
  });

  it('more than the window while the caller does not read: cut off as flow-control', async () => {
    const server = rig().serveHostile(async (peer) => {
      const stream = await takeRequest(peer);
      peer.send(accepted(stream), dataFrame(stream, 'x'));
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    await once(caller.stream, 'data');
    caller.stopReading();
    const peer = await server.accepted();
    await rig().unharmed(async () => {
      for (let sent = 0; sent < 24 << 20 && peer.end === undefined; sent += 1 << 20)
        await peer.sendAll(...Array.from({ length: 64 }, () => dataFrame(1, Buffer.alloc(16_384))));
      await callerCall.ended('flow-control');
    });
  });

  it('ends the stream at once: the caller may still talk', async () => {
    const server = rig().serveHostile(async (peer) => {
      peer.send(accepted(await takeRequest(peer), true));
    });
    const callerCall = new Call();
    const caller = callerCall.peer;
    await once(caller.stream.resume(), 'end');
    caller.stream.end('one-sided');
    const peer = await server.accepted();
    await peer.waitFor(() => (peer.streamEnded(1) ? true : undefined), 'end of the stream');
    expect(String(peer.received(1))).to.equal('one-sided');
    await callerCall.ended(undefined);
  });

  it('closes right after TLS, again and again: each call fails alone', async () => {
    const server = rig().serveHostile((peer) => peer.destroy());
    for (let round = 0; round < 5; round++) {
      const callerCall = new Call();
      const caller = callerCall.peer;
      await caller.waitForEnd();
      await callerCall.ended(/^(http2-failed|tls-|connection-lost|ECONNRESET)/);
    }
    expect(server.peers.length).to.equal(5);
  });

  function requests(peer: HostilePeer): number {
    return peer.frames.filter((each) => each.type === FrameType.HEADERS).length;
  }
});
