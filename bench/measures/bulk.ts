import { runIperf } from '../load/iperf.ts';
import type { Measure, Row, Target } from './measure.ts';

const target: Target = { kind: 'reference', bound: 'at least', value: 1.8 };

const shapes = [
  { key: 'up1', streams: 1, reverse: false, label: 'bulk, 1 stream, to the server' },
  { key: 'down1', streams: 1, reverse: true, label: 'bulk, 1 stream, to the client' },
  { key: 'up4', streams: 4, reverse: false, label: 'bulk, 4 streams, to the server' },
  { key: 'down4', streams: 4, reverse: true, label: 'bulk, 4 streams, to the client' },
] as const;

/** Throughput of iperf3 as received, over its whole run. */
export const bulk: Measure = {
  name: 'bulk',
  rows: shapes.map(({ key, label }): Row => ({ key, label, unit: 'Gbit/s', digits: 2, target })),
  async warm(rig, { warmSeconds }) {
    await runIperf(rig, { streams: 4, seconds: warmSeconds });
    await runIperf(rig, { streams: 4, seconds: warmSeconds, reverse: true });
  },
  async run(rig, { seconds }) {
    const values: Record<string, number> = {};
    for (const { key, streams, reverse } of shapes)
      values[key] = (await runIperf(rig, { streams, reverse, seconds })).gbitPerSecond;
    return values;
  },
};
