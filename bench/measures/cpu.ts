import { runIperf } from '../load/iperf.ts';
import { readUsage } from '../rig/process-usage.ts';
import type { Rig } from '../rig/rig.ts';
import type { Measure } from './measure.ts';

/** CPU time of both hops for each gigabyte (10^9 bytes) of one stream. */
export const cpu: Measure = {
  name: 'cpu',
  needsHops: true,
  rows: [
    {
      key: 'secondsPerGb',
      label: 'CPU seconds per GB, both hops',
      unit: 's',
      digits: 2,
      target: { kind: 'value', bound: 'at most', value: 1.3 },
    },
  ],
  async warm(rig, { warmSeconds }) {
    await runIperf(rig, { streams: 1, seconds: warmSeconds });
  },
  async run(rig, { seconds }) {
    const before = cpuSeconds(rig);
    const { bytes } = await runIperf(rig, { streams: 1, seconds });
    return { secondsPerGb: (cpuSeconds(rig) - before) / (bytes / 1e9) };
  },
};

function cpuSeconds({ hops }: Rig): number {
  if (hops === undefined) return 0;
  return readUsage(hops.client.pid).cpuSeconds + readUsage(hops.server.pid).cpuSeconds;
}
