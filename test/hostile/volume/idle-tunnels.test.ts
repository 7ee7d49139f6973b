import { expect } from 'chai';
import { memoryBytes, sampleApp } from '@ambient/testkit/lab';
import { ECHO_PORT, useRig } from '../peers/rig.ts';
import { connectionsWithin } from './descriptor-limit.ts';

const BYTES_PER_CONNECTION = 6000;
const OPEN_DEADLINE_MS = 60_000;
/** Garbage of the opening is collected some time after. */
const SETTLE_DEADLINE_MS = 20_000;

describe('ten thousand idle tunnels', function () {
  this.timeout(120_000);
  const rig = useRig({ env: { ZTUNNEL_WORKER_THREADS: '2' } }, 'the suite');

  it('are held within 6 KB each a side, traffic goes on beside them, and all of it is given back', async () => {
    const { client, server } = rig();
    const count = connectionsWithin(10_000);
    const proxies = [client.proxy, server.proxy];
    const before = proxies.map(({ pid }) => memoryBytes(pid, 'RssAnon'));
    const argv = sampleApp('hold-connections', { host: server.ipv4, port: ECHO_PORT, count });
    const holder = await client.spawn(argv, { name: 'holder' });
    await holder.waitForLine(/^held/, OPEN_DEADLINE_MS);
    for (const [index, proxy] of proxies.entries()) {
      const limit = before[index]! + count * BYTES_PER_CONNECTION;
      const small = (): true | undefined => (memoryBytes(proxy.pid, 'RssAnon') <= limit ? true : undefined);
      await proxy.waitFor(small, `memory within ${limit >> 20} MiB`, SETTLE_DEADLINE_MS, 200);
    }
    for (let round = 0; round < 20; round++) await rig().goodRound();
    const opened = sum(await server.metrics(), 'istio_tcp_connections_opened_total');
    expect(opened).to.be.at.least(count);
    await holder.stop('SIGKILL');
  });
});

function sum(metrics: ReadonlyMap<string, number>, name: string): number {
  let total = 0;
  for (const [series, value] of metrics) if (series.startsWith(name)) total += value;
  return total;
}
