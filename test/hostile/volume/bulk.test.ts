import { expect } from 'chai';
import { connectFrom } from '@ambient/testkit/hostile-peer';
import { takeLeakSnapshot } from '@ambient/testkit/lab';
import { useRig } from '../peers/rig.ts';

const GIBIBYTE = 1 << 30;

describe('bulk through one tunnel', function () {
  this.timeout(120_000);
  const rig = useRig({ env: { POOL_MAX_STREAMS_PER_CONNECTION: '200' } });

  it('1 GiB each way at once, every byte of it', async () => {
    const { client, server } = rig();
    await rig().serve('transfer-server', { port: 7500 });
    const answer = await client.transfer(server.ipv4, 7500, { up: GIBIBYTE, down: GIBIBYTE }, 110_000);
    expect(answer, JSON.stringify(answer)).to.include({ ok: true, streams: 1 });
  });

  it('199 tunnels go on beside one in the same connection whose application does not read', async () => {
    const { client, server } = rig();
    await rig().serve('slow-reader', { port: 7501, rate: 0 });
    await rig().serve('transfer-server', { port: 7502 });
    const stalled = connectFrom(client.netns, server.ipv4, 7501);
    try {
      let written = false;
      stalled.on('error', () => undefined).write(Buffer.alloc(64 << 20), () => (written = true));
      const bytes = { up: 1 << 20, down: 1 << 20, streams: 199 };
      const answer = await client.transfer(server.ipv4, 7502, bytes, 60_000);
      expect(answer, JSON.stringify(answer)).to.include({ ok: true, streams: 199 });
      expect(written, 'the stalled one is stalled').to.equal(false);
      const { sockets } = takeLeakSnapshot(rig().scope);
      const tunnels = Object.entries(sockets['server']!).filter(([key]) =>
        /ESTABLISHED on port 15008/.test(key),
      );
      expect(
        tunnels.map(([, count]) => count),
        'connections between the proxies',
      ).to.deep.equal([1]);
    } finally {
      stalled.resetAndDestroy();
    }
  });
});
