import { once } from 'node:events';
import { createServer } from 'node:http';
import type { Server, ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';

import { expect } from 'chai';

import { run } from '../testing/context.ts';
import type { ConnectionDelta, WatchedConnection } from './connection-feed.ts';
import { Rates } from './rates.ts';
import { formatBytes, formatSeconds } from './units.ts';

function connection(id: number, over: Partial<WatchedConnection> = {}): WatchedConnection {
  return {
    id,
    workload: { name: 'catalog', namespace: 'shop' },
    direction: 'inbound',
    source: `10.244.1.7:${1000 + id}`,
    destination: '10.244.2.3:8080',
    protocol: 'HBONE',
    sourceIdentity: 'spiffe://cluster.local/ns/shop/sa/checkout',
    bytesSent: 0,
    bytesReceived: 0,
    openedAtMs: 0,
    ...over,
  };
}

const guest = { name: 'old', namespace: 'guest' };
const deltas: ConnectionDelta[] = [
  {
    atMs: 1000,
    snapshot: [connection(1, { bytesSent: 5000 }), connection(2, { workload: guest })],
    opened: [],
    closed: [],
    counts: [],
  },
  {
    atMs: 3000,
    opened: [connection(3, { direction: 'outbound', destination: '10.96.0.20:80', bytesReceived: 400 })],
    closed: [connection(2, { workload: guest, bytesSent: 1_234_567 })],
    counts: [{ id: 1, bytesSent: 25_000, bytesReceived: 10 }],
  },
];

describe('ambientctl tap and top', () => {
  let server: Server;
  let address: string;
  let asked: string | undefined;
  let open: ServerResponse | undefined;
  before(async () => {
    server = createServer((request, response) => {
      asked = request.url;
      open = response;
      response.write(deltas.map((each) => `${JSON.stringify(each)}\n`).join(''));
    });
    await once(server.listen(0, '127.0.0.1'), 'listening');
    address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  });
  after(() => {
    server.closeAllConnections();
    server.close();
  });

  const tap = async (...words: string[]): Promise<string> => {
    const watching = run(['tap', '--admin', address, ...words]);
    open = undefined;
    const [, response] = (await once(server, 'request')) as [unknown, ServerResponse];
    response.end();
    const { out, err, code } = await watching;
    // A ztunnel that ends the watch is gone.
    expect(code).to.equal(1);
    expect(err).to.contain('ended the watch');
    return out;
  };

  it('taps what opens and closes, with what it has carried', async () => {
    expect(await tap()).to.equal(`\
00:00:03.000  opened  catalog.shop -> 10.96.0.20:80  HBONE  no identity
00:00:03.000  closed  old.guest <- 10.244.1.7:1002  HBONE  spiffe://cluster.local/ns/shop/sa/checkout  sent 1.2 MB, received 0 B, 3.0 s
`);
    expect(asked).to.equal('/connections?watch&interval=1000');
  });

  it('taps what is open already, by namespace, pod and direction, as JSON too', async () => {
    expect((await tap('--all', '--workload-namespace', 'guest')).split('\n')).to.have.length(3);
    expect((await tap('--all', '--workload', 'cata', '--direction', 'inbound')).split('\n')).to.have.length(
      2,
    );
    const events = (await tap('--json')).trim().split('\n');
    expect(JSON.parse(events[0]!)).to.include({ event: 'opened', id: 3, ztunnel: address });
  });

  it('prints one table of rates where there is no terminal', async () => {
    const { out, code } = await run(['top', '--admin', address]);
    expect(code).to.equal(0);
    expect(out).to.equal(`\
WORKLOAD      IN  OUT  OPENED/S  SENT/S   RECEIVED/S
catalog.shop  1   1    0.5       10.0 kB  205 B
`);
    open?.end();
  });

  it('sorts by rate, by connections or by name', () => {
    const rates = new Rates({ namespace: undefined, workload: undefined, direction: undefined });
    const other = connection(9, { workload: { name: 'a', namespace: 'shop' } });
    rates.take('z', {
      atMs: 1000,
      snapshot: [connection(1), connection(2), other],
      opened: [],
      closed: [],
      counts: [],
    });
    expect(rates.isComplete(1)).to.equal(false);
    rates.take('z', {
      atMs: 2000,
      opened: [],
      closed: [],
      counts: [{ id: 9, bytesSent: 1, bytesReceived: 0 }],
    });
    expect(rates.isComplete(1)).to.equal(true);
    const names = (order: 'rate' | 'connections' | 'name'): string[] =>
      rates.rows(order).map(({ workload }) => workload);
    expect(names('rate')).to.deep.equal(['a.shop', 'catalog.shop']);
    expect(names('connections')).to.deep.equal(['catalog.shop', 'a.shop']);
    expect(names('name')).to.deep.equal(['a.shop', 'catalog.shop']);
  });

  it('writes sizes and times shortly', () => {
    expect([0, 999, 1000, 999_999, 2.5e9].map(formatBytes)).to.deep.equal([
      '0 B',
      '999 B',
      '1.0 kB',
      '1.0 MB',
      '2.5 GB',
    ]);
    expect([-5, 850, 12_340, 245_000, 7_445_000].map(formatSeconds)).to.deep.equal([
      '0 ms',
      '850 ms',
      '12.3 s',
      '4:05',
      '2:04:05',
    ]);
  });
});
