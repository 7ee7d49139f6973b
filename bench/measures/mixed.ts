import { startIperf } from '../load/iperf.ts';
import { runWrk } from '../load/wrk.ts';
import type { Rig } from '../rig/rig.ts';
import type { Measure } from './measure.ts';

const load = { connections: 4, path: '/1k' };
const BULK_STREAMS = 10;
/** A gigabit in all, which leaves every column CPU to spare: what is left of the delay is waiting inside the tunnel. */
const PACED_BITS_PER_SECOND = 100e6;

/**
 * Answers of 1 KB alone, then beside ten bulk streams, which share the tunnels between the two hops: as fast as they can
 * go, when requests compete for the CPU too, and paced.
 */
export const mixed: Measure = {
  name: 'mixed',
  rows: [
    { key: 'alone', label: '1 KB requests alone, p99', unit: 'us', digits: 0 },
    { key: 'beside', label: '1 KB requests beside 10 bulk streams, p99', unit: 'us', digits: 0 },
    {
      key: 'ratio',
      label: 'the same over its value alone',
      unit: 'x',
      digits: 1,
      target: { kind: 'value', bound: 'at most', value: 3 },
    },
    { key: 'paced', label: '... beside 10 streams of 100 Mbit/s, p99', unit: 'us', digits: 0 },
    { key: 'pacedRatio', label: 'the same over its value alone', unit: 'x', digits: 1 },
  ],
  async warm(rig, { warmSeconds }) {
    await beside(rig, warmSeconds, undefined);
  },
  async run(rig, { seconds }) {
    const alone = (await runWrk(rig, { ...load, seconds })).p99;
    const full = await beside(rig, seconds, undefined);
    const paced = await beside(rig, seconds, PACED_BITS_PER_SECOND);
    return { alone, beside: full, ratio: full / alone, paced, pacedRatio: paced / alone };
  },
};

/** p99 in microseconds while ten bulk streams flow. */
async function beside(rig: Rig, seconds: number, bitsPerSecond: number | undefined): Promise<number> {
  const bulk = await startIperf(rig, {
    streams: BULK_STREAMS,
    seconds: seconds + 3,
    ...(bitsPerSecond === undefined ? {} : { bitsPerSecond }),
  });
  const { p99 } = await runWrk(rig, { ...load, seconds });
  if (bulk.exit !== undefined)
    throw new Error(`${rig.column.name}: the bulk streams ended before the requests did`);
  await bulk.exited;
  return p99;
}
