import { runIperf } from '../load/iperf.ts';
import { runWrk } from '../load/wrk.ts';
import { readUsage } from '../rig/process-usage.ts';
import type { Rig } from '../rig/rig.ts';
import type { Measure } from './measure.ts';

/** Leaves room on the CPU, so that the load is the same whatever else the machine does. */
const STREAM_BITS_PER_SECOND = 200e6;
const SETTLE_MS = 2000;

/**
 * Mixed load, minute after minute: steady streams, requests over kept connections, and connections that come and go.
 * Compares memory after the first minute with memory after the last, and descriptors once each load has ended.
 */
export const soak: Measure = {
  name: 'soak',
  fresh: true,
  needsHops: true,
  judgedOnly: true,
  long: true,
  rows: [
    {
      key: 'growth',
      label: 'soak: memory gained after the first minute',
      unit: 'MB',
      digits: 1,
      // What a collector's heap moves by from one minute to the next; a leak of one connection's state a second is more.
      target: { kind: 'value', bound: 'at most', value: 4 },
    },
    {
      key: 'descriptors',
      label: 'soak: descriptors gained after the first minute',
      unit: '',
      digits: 0,
      target: { kind: 'value', bound: 'at most', value: 0 },
    },
  ],
  warm: () => Promise.resolve(), // the first minute is
  async run(rig, effort) {
    const minutes = Math.max(2, effort.soakMinutes);
    const samples: Sample[] = [];
    for (let minute = 1; minute <= minutes; minute += 1) {
      await oneMinute(rig);
      await new Promise((resolve) => setTimeout(resolve, SETTLE_MS));
      const sample = read(rig);
      samples.push(sample);
      effort.progress(
        `minute ${minute} of ${minutes}: ${(sample.memory / 1e6).toFixed(1)} MB, ${sample.descriptors} descriptors`,
      );
    }
    const [first, last] = [samples[0]!, samples[samples.length - 1]!];
    const values: Record<string, number> = {
      growth: (last.memory - first.memory) / 1e6,
      descriptors: last.descriptors - first.descriptors,
    };
    for (const [index, sample] of samples.entries()) {
      values[`memoryMb-minute${index + 1}`] = sample.memory / 1e6;
      values[`descriptors-minute${index + 1}`] = sample.descriptors;
    }
    return values;
  },
};

interface Sample {
  /** Both hops together. */
  readonly memory: number;
  readonly descriptors: number;
}

async function oneMinute(rig: Rig): Promise<void> {
  const seconds = 60 - SETTLE_MS / 1000;
  await Promise.all([
    runIperf(rig, { streams: 4, seconds, bitsPerSecond: STREAM_BITS_PER_SECOND }),
    runWrk(rig, { connections: 16, seconds, path: '/1k' }),
    runWrk(rig, { connections: 4, seconds, path: '/bare', close: true }),
  ]);
}

function read({ hops }: Rig): Sample {
  if (hops === undefined) return { memory: 0, descriptors: 0 };
  const [client, server] = [readUsage(hops.client.pid), readUsage(hops.server.pid)];
  return {
    memory: client.rssAnonBytes + server.rssAnonBytes,
    descriptors: client.descriptors + server.descriptors,
  };
}
