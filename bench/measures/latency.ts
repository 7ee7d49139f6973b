import { runWrk } from '../load/wrk.ts';
import type { Measure, Row } from './measure.ts';

function rows(connections: number): Row[] {
  const plural = connections === 1 ? '1 connection' : `${connections} connections`;
  return [
    {
      key: `p50-${connections}`,
      label: `p50, ${plural}`,
      unit: 'us',
      digits: 0,
      target: { kind: 'reference', bound: 'at most', value: 1 },
    },
    {
      key: `p99-${connections}`,
      label: `p99, ${plural}`,
      unit: 'us',
      digits: 0,
      target: { kind: 'reference', bound: 'at most', value: 1.5 },
    },
  ];
}

/** Time of a small request, as wrk reports it. */
export const latency: Measure = {
  name: 'latency',
  rows: [...rows(1), ...rows(32)],
  async warm(rig, { warmSeconds }) {
    await runWrk(rig, { connections: 32, seconds: warmSeconds, path: '/bare' });
    await runWrk(rig, { connections: 1, seconds: warmSeconds, path: '/bare' });
  },
  async run(rig, { seconds }) {
    const one = await runWrk(rig, { connections: 1, seconds, path: '/bare' });
    const many = await runWrk(rig, { connections: 32, seconds, path: '/bare' });
    return { 'p50-1': one.p50, 'p99-1': one.p99, 'p50-32': many.p50, 'p99-32': many.p99 };
  },
};
