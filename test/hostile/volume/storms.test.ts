import { expect } from 'chai';
import { useRig } from '../peers/rig.ts';

const SHORT_CONNECTIONS = 5000;
const LANES = 32;
/** Connections after which each data worker has had some, but for one run in 500,000. */
const WARM_ROUNDS = 20;
const HALF_OPEN = 2000;

describe('storms of connections', function () {
  this.timeout(90_000);
  const rig = useRig({ env: { ZTUNNEL_WORKER_THREADS: '2' } });

  it(`${SHORT_CONNECTIONS} short connections: none fails`, async () => {
    let left = SHORT_CONNECTIONS;
    const failures: unknown[] = [];
    const lane = async (): Promise<void> => {
      while (left > 0) {
        left--;
        await rig()
          .goodRound('short')
          .catch((error: unknown) => failures.push(error));
      }
    };
    await Promise.all(Array.from({ length: LANES }, lane));
    expect(failures, String(failures[0])).to.have.length(0);
  });

  it(`${HALF_OPEN} clients that connect and say nothing: traffic goes on, and each is cut off`, async () => {
    // Each worker of the client has a tunnel: a new one would wait for seconds among those who say nothing.
    for (let round = 0; round < WARM_ROUNDS; round++) await rig().goodRound();
    const peers = Array.from({ length: HALF_OPEN }, () => rig().attackTcp());
    await rig().unharmed(() => Promise.all(peers.slice(-50).map((peer) => peer.waitForEnd(30_000))));
    await Promise.all(peers.map((peer) => peer.waitForEnd(30_000)));
    await rig().verdict(peers.at(-1)!, { reason: 'handshake-timeout' });
  });

  it(`${HALF_OPEN} clients that go away within the handshake: traffic goes on`, async () => {
    const hello = Buffer.from('160301020001000001fc0303', 'hex');
    await rig().unharmed(async () => {
      for (let round = 0; round < 20; round++) {
        const peers = Array.from({ length: HALF_OPEN / 20 }, () => rig().attackTcp());
        await Promise.all(peers.map((peer) => peer.sendAll(hello)));
        for (const [index, peer] of peers.entries())
          if (index % 2 === 0) peer.reset();
          else peer.destroy();
      }
    });
  });
});
