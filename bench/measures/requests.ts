import { runWrk } from '../load/wrk.ts';
import type { Measure } from './measure.ts';

/** Small requests over 32 connections that stay open. */
export const requests: Measure = {
  name: 'requests',
  rows: [
    {
      key: 'rate',
      label: 'requests, 32 keep-alive connections',
      unit: '/s',
      digits: 0,
      target: { kind: 'reference', bound: 'at least', value: 1 },
    },
  ],
  async warm(rig, { warmSeconds }) {
    await runWrk(rig, { connections: 32, seconds: warmSeconds, path: '/bare' });
  },
  async run(rig, { seconds }) {
    const { requestsPerSecond } = await runWrk(rig, { connections: 32, seconds, path: '/bare' });
    return { rate: requestsPerSecond };
  },
};
