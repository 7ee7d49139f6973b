import { sampleApp } from '@ambient/testkit/lab';
import { PORTS } from '../rig/addresses.ts';
import { connectionLimit } from '../rig/limits.ts';
import { readUsage } from '../rig/process-usage.ts';
import type { Rig } from '../rig/rig.ts';
import type { Measure } from './measure.ts';

const OPEN_DEADLINE_MS = 120_000;
const SETTLE_SAMPLES = 10;
const SAMPLE_MS = 500;

/** Anonymous memory of a fresh hop, the larger of the two, and its growth for each connection that is held idle. */
export const memory: Measure = {
  name: 'memory',
  fresh: true,
  needsHops: true,
  rows: [
    {
      key: 'start',
      label: 'memory at start, the larger hop',
      unit: 'MB',
      digits: 1,
      target: { kind: 'value', bound: 'at most', value: 90 },
    },
    {
      key: 'clientPerConnection',
      label: 'memory per idle connection, client hop',
      unit: 'KB',
      digits: 2,
      target: { kind: 'value', bound: 'at most', value: 5 },
    },
    {
      key: 'serverPerConnection',
      label: 'memory per idle connection, server hop',
      unit: 'KB',
      digits: 2,
      target: { kind: 'value', bound: 'at most', value: 5 },
    },
  ],
  warm: () => Promise.resolve(), // a start is what is measured
  async run(rig, { progress }) {
    const start = await settledMemory(rig);
    const count = connectionLimit();
    progress(`opening ${count} connections`);
    const argv = sampleApp('hold-connections', { host: rig.host, port: PORTS.echo, count });
    const holder = await rig.client.spawn(argv, { name: 'holder' });
    await holder.waitForLine(/^held/, OPEN_DEADLINE_MS);
    const full = await settledMemory(rig);
    await holder.stop('SIGTERM');
    return {
      connections: count,
      start: Math.max(start.client, start.server) / 1e6,
      clientPerConnection: (full.client - start.client) / count / 1000,
      serverPerConnection: (full.server - start.server) / count / 1000,
    };
  },
};

interface BothHops {
  readonly client: number;
  readonly server: number;
}

/** The least of some seconds: what is in use, without garbage that waits to be collected. */
async function settledMemory({ hops }: Rig): Promise<BothHops> {
  let least: BothHops = { client: Infinity, server: Infinity };
  for (let sample = 0; sample < SETTLE_SAMPLES && hops !== undefined; sample += 1) {
    await new Promise((resolve) => setTimeout(resolve, SAMPLE_MS));
    least = {
      client: Math.min(least.client, readUsage(hops.client.pid).rssAnonBytes),
      server: Math.min(least.server, readUsage(hops.server.pid).rssAnonBytes),
    };
  }
  return least;
}
