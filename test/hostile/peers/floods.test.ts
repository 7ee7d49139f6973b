import { expect } from 'chai';
import { memoryBytes } from '@ambient/testkit/lab';
import {
  connectFrame,
  dataFrame,
  END_HEADERS,
  frame,
  FrameType,
  headersFrame,
  literalBlock,
  resetFrame,
  settingsFrame,
  windowUpdateFrame,
} from '@ambient/testkit/hostile-peer';
import type { HostilePeer } from '@ambient/testkit/hostile-peer';
import { ECHO_PORT, useRig } from './rig.ts';

const times = (count: number, make: (index: number) => Buffer): Buffer =>
  Buffer.concat(Array.from({ length: count }, (_, index) => make(index)));

interface Flood {
  readonly name: string;
  readonly reason: string;
  /** What goes out after an orderly start, in one piece. */
  readonly bytes: (echo: string) => Buffer;
}

const CONNECT = (echo: string): readonly string[] => [':method', 'CONNECT', ':authority', echo];

const floods: readonly Flood[] = [
  {
    name: 'PING flood',
    reason: 'ping-flood',
    bytes: () => times(5000, () => frame(FrameType.PING, 0, 0, 'eight...')),
  },
  {
    name: 'SETTINGS flood',
    reason: 'settings-flood',
    bytes: () => times(500, () => settingsFrame({ 3: 100 })),
  },
  {
    name: 'SETTINGS with hundreds of entries',
    reason: 'settings-flood',
    bytes: () => frame(FrameType.SETTINGS, 0, 0, Buffer.alloc(6 * 2000)),
  },
  {
    name: 'flood of empty DATA frames',
    reason: 'empty-frame-flood',
    bytes: (echo) => Buffer.concat([connectFrame(1, echo), times(5000, () => dataFrame(1, ''))]),
  },
  {
    name: 'WINDOW_UPDATE flood',
    reason: 'window-update-flood',
    bytes: (echo) => Buffer.concat([connectFrame(1, echo), times(20_000, () => windowUpdateFrame(1, 1))]),
  },
  {
    name: 'PRIORITY flood',
    reason: 'priority-flood',
    bytes: () => times(5000, () => frame(FrameType.PRIORITY, 0, 1, Buffer.from([0, 0, 0, 3, 1]))),
  },
  {
    name: 'flood of frames of unknown type',
    reason: 'priority-flood',
    bytes: () => times(5000, () => frame(0xbe, 0, 0, 'what?')),
  },
  {
    name: 'CONTINUATION flood',
    reason: 'continuation-flood',
    bytes: (echo) =>
      Buffer.concat([
        frame(FrameType.HEADERS, 0, 1, literalBlock(CONNECT(echo))),
        times(5000, (index) => frame(FrameType.CONTINUATION, 0, 1, literalBlock(['x', String(index)]))),
      ]),
  },
  {
    name: 'CONTINUATION flood of empty frames',
    reason: 'continuation-flood',
    bytes: (echo) =>
      Buffer.concat([
        frame(FrameType.HEADERS, 0, 1, literalBlock(CONNECT(echo))),
        times(5000, () => frame(FrameType.CONTINUATION, 0, 1)),
      ]),
  },
  {
    name: 'header block without end',
    reason: 'header-list-too-large',
    bytes: (echo) =>
      Buffer.concat([
        frame(FrameType.HEADERS, 0, 1, literalBlock(CONNECT(echo))),
        times(64, () => frame(FrameType.CONTINUATION, 0, 1, literalBlock(['x', 'y'.repeat(16_000)]))),
      ]),
  },
  {
    name: 'rapid reset',
    reason: 'rapid-reset',
    bytes: (echo) =>
      times(3000, (index) => {
        const stream = 1 + 2 * index;
        return Buffer.concat([connectFrame(stream, echo), resetFrame(stream, 'CANCEL')]);
      }),
  },
  {
    name: 'made-you-reset: requests that force the server to reset them',
    reason: 'rapid-reset',
    bytes: (echo) =>
      times(3000, (index) => {
        const stream = 1 + 2 * index;
        return Buffer.concat([connectFrame(stream, echo), windowUpdateFrame(stream, 0)]);
      }),
  },
  {
    name: 'malformed requests without end',
    reason: 'rapid-reset',
    bytes: () => times(3000, (index) => headersFrame(1 + 2 * index, [':method', 'CONNECT'])),
  },
];

describe('floods against an HBONE server', () => {
  const rig = useRig();
  const echo = `10.77.0.2:${ECHO_PORT}`; // the second pod: server

  for (const { name, reason, bytes } of floods)
    it(`${name}: cut off as ${reason}`, async () => {
      const peer = await rig().attack();
      const flood = bytes(echo);
      await rig().unharmed(async () => {
        peer.send(flood);
        await peer.waitForEnd();
        await rig().verdict(peer, { reason, message: 'connection failed' });
      });
    });

  it('header list over the limit: 431, and the connection lives', async () => {
    const peer = await rig().attack();
    const bulky = ['baggage', 'b'.repeat(70_000)];
    peer.send(headersFrame(1, [...CONNECT(echo), ...bulky]), connectFrame(3, echo));
    expect(await peer.answer(1)).to.equal('431');
    expect(await peer.answer(3)).to.equal('200');
    await rig().verdict(peer, { reason: 'header-list-too-large' });
  });

  it('header bomb, a few bytes that decode to megabytes: 431, and no memory is spent', async () => {
    const peer = await rig().attack();
    const fill = literalBlock(['x', 'y'.repeat(4000)]);
    fill[0] = 0x40; // with indexing: the first entry of the dynamic table, 62, which the rest names again and again
    const bomb = Buffer.concat([literalBlock(CONNECT(echo)), fill, Buffer.alloc(16_000, 0x80 | 62)]);
    const before = memoryBytes(rig().server.proxy.pid, 'RssAnon');
    for (let stream = 1; stream < 40; stream += 2)
      peer.send(frame(FrameType.HEADERS, END_HEADERS, stream, bomb));
    peer.send(connectFrame(41, echo));
    expect(await peer.answer(1)).to.equal('431');
    expect(await peer.answer(41)).to.equal('200');
    expect(memoryBytes(rig().server.proxy.pid, 'RssAnon') - before).to.be.below(16 << 20);
    await rig().verdict(peer, { reason: 'header-list-too-large' });
  });

  it('more tunnels than admitted: REFUSED_STREAM, and those that stand go on', async () => {
    const peer = await rig().attack();
    peer.send(times(201, (index) => connectFrame(1 + 2 * index, echo)));
    expect(await peer.answer(401)).to.equal('reset REFUSED_STREAM');
    expect(await peer.answer(399)).to.equal('200');
    peer.send(dataFrame(399, 'still open'));
    await peer.waitFor(() => (String(peer.received(399)) === 'still open' ? true : undefined), 'echo');
    await rig().verdict(peer, { reason: 'stream-refused' });
  });

  it('flood of answers that the peer does not read: cut off, in bounded memory and a bounded log', async () => {
    const peer = await rig().attack();
    const before = memoryBytes(rig().server.proxy.pid, 'RssAnon');
    await rig().unharmed(async () => {
      peer.stopReading();
      const verdict = rig().verdict(peer, { message: 'connection failed', reason: 'slow-reader' }, 20_000);
      await sendUntilCut(peer, (round) =>
        times(1000, (index) => {
          const stream = 1 + 2 * (round * 1000 + index);
          return headersFrame(stream, [
            ':method',
            'GET',
            ':scheme',
            'https',
            ':path',
            '/',
            ':authority',
            'a',
          ]);
        }),
      );
      await verdict;
      await rig().verdict(peer, { error: /^\d+ more requests of this connection were refused/ });
    });
    expect(memoryBytes(rig().server.proxy.pid, 'RssAnon') - before).to.be.below(32 << 20);
  });
});

/** Sends round after round until the connection is gone. */
async function sendUntilCut(peer: HostilePeer, bytes: (round: number) => Buffer): Promise<void> {
  for (let round = 0; round < 5000 && peer.end === undefined; round++) await peer.sendAll(bytes(round));
  expect(peer.end, 'the connection was cut').to.be.a('string');
}
