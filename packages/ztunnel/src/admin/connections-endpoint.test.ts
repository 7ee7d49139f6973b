import { once } from 'node:events';
import type { Readable } from 'node:stream';

import { ManualClock } from '@ambient/runtime';
import { expect } from 'chai';

import { connectionsEndpoint } from './connections-endpoint.ts';
import type { ConnectionDelta } from './connections-endpoint.ts';
import { EndedConnections } from './ended-connections.ts';
import { localConnections } from './local-connections.ts';
import type { LocalConnection } from './local-connections.ts';

function connection(source: string, bytesSent = 0): LocalConnection {
  return {
    workload: { name: 'catalog', namespace: 'shop' },
    direction: 'inbound',
    source,
    destination: '10.0.2.1:8080',
    actualDestination: '10.0.2.1:8080',
    protocol: 'HBONE',
    sourceIdentity: undefined,
    destinationIdentity: undefined,
    sourceWorkload: undefined,
    destinationWorkload: undefined,
    bytesSent,
    bytesReceived: 0,
    openedAtMs: 1,
  };
}

describe('the endpoint of live connections', () => {
  let clock: ManualClock;
  let live: LocalConnection[];
  let ended: EndedConnections;
  beforeEach(() => {
    clock = new ManualClock();
    ended = new EndedConnections();
    live = [connection('10.0.1.1:1'), connection('10.0.1.1:2')];
  });
  const ask = (query: string): Promise<{ status: number; body: string | Readable }> =>
    Promise.resolve(
      connectionsEndpoint({
        connections: () => Promise.resolve(live),
        watchConnections: () => Promise.resolve({ live, ended }),
        clock,
      }).handle(new URLSearchParams(query)),
    );

  it('lists them', async () => {
    const { body } = await ask('');
    expect(JSON.parse(body as string)).to.have.length(2);
  });

  it('goes on with what opens, closes and carries', async () => {
    const body = (await ask('watch&interval=500')).body as Readable;
    const next = async (): Promise<ConnectionDelta> => {
      const [line] = (await once(body, 'data')) as [Buffer];
      return JSON.parse(line.toString()) as ConnectionDelta;
    };
    const first = await next();
    expect(first.snapshot?.map(({ id, source }) => [id, source])).to.deep.equal([
      [1, '10.0.1.1:1'],
      [2, '10.0.1.1:2'],
    ]);
    live = [connection('10.0.1.1:2', 70), connection('10.0.1.1:3')];
    const second = next();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(500);
    const { opened, closed, counts } = await second;
    expect(opened.map(({ id }) => id)).to.deep.equal([3]);
    expect(closed.map(({ id }) => id)).to.deep.equal([1]);
    expect(counts).to.deep.equal([{ id: 2, bytesSent: 70, bytesReceived: 0 }]);
    body.destroy();
  });

  it('tells of those that opened and closed between two looks, and what they came to', async () => {
    ended.add([{ ...connection('10.0.1.1:0'), endedAtMs: 1 }]);
    const body = (await ask('watch&interval=500')).body as Readable;
    const next = async (): Promise<ConnectionDelta> => {
      const [line] = (await once(body, 'data')) as [Buffer];
      return JSON.parse(line.toString()) as ConnectionDelta;
    };
    expect((await next()).closed, 'before anybody watched').to.deep.equal([]);
    live = [connection('10.0.1.1:2')];
    ended.add([
      { ...connection('10.0.1.1:1', 41), endedAtMs: 7 },
      { ...connection('10.0.1.1:9', 5), endedAtMs: 8, reason: 'policy-denied' },
    ]);
    const second = next();
    await new Promise((resolve) => setImmediate(resolve));
    clock.advance(500);
    const { opened, closed } = await second;
    expect(opened.map(({ source }) => source)).to.deep.equal(['10.0.1.1:9']);
    expect(closed.map(({ id, bytesSent, reason }) => [id, bytesSent, reason])).to.deep.equal([
      [1, 41, undefined],
      [3, 5, 'policy-denied'],
    ]);
    body.destroy();
  });

  it('asks nobody any more after the reader has left', async () => {
    const body = (await ask('watch')).body as Readable;
    await once(body, 'data');
    await new Promise((resolve) => setImmediate(resolve));
    body.destroy();
    live = undefined as never;
    clock.advance(10_000);
  });

  it('refuses an interval that would keep the workers busy, or that is none', async () => {
    for (const interval of ['1', '-5', 'soon', '1e9'])
      expect((await ask(`watch&interval=${interval}`)).status).to.equal(400);
  });

  it('names the pod of a connection in shared mode, and the one workload of dedicated mode', () => {
    const { workload: _, ...report } = connection('10.0.1.1:1');
    const name = { name: 'a', namespace: 'n', serviceAccount: 's' };
    const pods = [{ uid: 'u', name, state: 'Up' as const, captureId: 7 }];
    const named = localConnections(
      [
        { ...report, pod: 7 },
        { ...report, pod: 8 },
      ],
      undefined,
      pods,
    );
    expect(named.map(({ workload }) => workload.name)).to.deep.equal(['a', '']);
    expect(localConnections([report], name)[0]!.workload).to.deep.equal({ name: 'a', namespace: 'n' });
  });
});
