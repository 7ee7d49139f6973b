import { sampleApp } from '@ambient/testkit/lab';
import { runWrk } from '../load/wrk.ts';
import { PORTS } from '../rig/addresses.ts';
import type { Rig } from '../rig/rig.ts';
import type { Measure } from './measure.ts';

const AT_A_TIME = 16;

/** New TCP connections a second: one request each, 16 at a time. */
export const connections: Measure = {
  name: 'connections',
  rows: [
    {
      key: 'rate',
      label: 'new connections, 16 at a time',
      unit: '/s',
      digits: 0,
      target: { kind: 'reference', bound: 'at least', value: 5 },
    },
  ],
  async warm(rig, { warmSeconds }) {
    await runWrk(rig, { connections: AT_A_TIME, seconds: warmSeconds, path: '/bare', close: true });
  },
  async run(rig, { seconds }) {
    const before = await acceptedConnections(rig);
    const load = { connections: AT_A_TIME, seconds, path: '/bare', close: true };
    const { requests, requestsPerSecond } = await runWrk(rig, load);
    const accepted = (await acceptedConnections(rig)) - before;
    // A load program or a proxy that keeps connections would be measured as a fast one.
    if (accepted < requests)
      throw new Error(`${rig.column.name}: ${requests} requests came over ${accepted} connections only`);
    return { rate: requestsPerSecond };
  },
};

/** nginx's count of accepted connections. */
async function acceptedConnections(rig: Rig): Promise<number> {
  const { stdout } = await rig.server.run(
    sampleApp('http-get', { url: `http://127.0.0.1:${PORTS.httpStatus}/` }),
  );
  const { body } = JSON.parse(stdout) as { body: string };
  return Number(/^\s*(\d+) \d+ \d+\s*$/m.exec(body)?.[1]);
}
