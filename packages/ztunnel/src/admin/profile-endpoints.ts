import { getHeapSnapshot } from 'node:v8';
import { sleep } from '@ambient/runtime';
import type { Clock } from '@ambient/runtime';
import { textReply } from './http-endpoint.ts';
import type { Endpoint, Reply } from './http-endpoint.ts';

const defaultSeconds = 10;
const maxSeconds = 300;

/**
 * `/debug/pprof/profile` and `/debug/pprof/heap` of the main thread. The paths are those of Istio, the formats those of
 * Node: a `.cpuprofile` and a `.heapsnapshot`, both for Chrome's developer tools.
 */
export function profileEndpoints(clock: Clock): readonly Endpoint[] {
  // Two profiles at once would disturb each other, and a snapshot stops the main thread.
  let busy = false;
  const alone = async (take: () => Promise<Reply>): Promise<Reply> => {
    if (busy) return textReply(409, 'a profile is being taken, try again when it is done');
    busy = true;
    try {
      return await take();
    } finally {
      busy = false;
    }
  };
  return [
    {
      method: 'GET',
      path: '/debug/pprof/profile',
      doc: `CPU profile of the main thread, of ?seconds=${defaultSeconds}`,
      handle(query) {
        const seconds = Number(query.get('seconds') ?? defaultSeconds);
        if (!(seconds > 0 && seconds <= maxSeconds))
          return textReply(400, `seconds must be above 0 and at most ${maxSeconds}`);
        return alone(() => takeCpuProfile(clock, seconds * 1000));
      },
    },
    {
      method: 'GET',
      path: '/debug/pprof/heap',
      doc: 'heap snapshot of the main thread, which stands still meanwhile',
      handle: () =>
        alone(() =>
          Promise.resolve({
            status: 200,
            contentType: 'application/json',
            fileName: 'ztunnel.heapsnapshot',
            body: getHeapSnapshot(),
          }),
        ),
    },
  ];
}

async function takeCpuProfile(clock: Clock, ms: number): Promise<Reply> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connect();
  try {
    await session.post('Profiler.enable');
    await session.post('Profiler.start');
    await sleep(clock, ms);
    const { profile } = await session.post('Profiler.stop');
    return {
      status: 200,
      contentType: 'application/json',
      fileName: 'ztunnel.cpuprofile',
      body: JSON.stringify(profile),
    };
  } finally {
    session.disconnect();
  }
}
