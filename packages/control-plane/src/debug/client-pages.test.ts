import { expect } from 'chai';
import { ResourceTable } from '@ambient/xds/server';
import type { ConnectionStatus, StreamHoldings, StreamTypeStatus } from '@ambient/xds/server';
import { istio, typeUrl } from '@ambient/wire';

import { adsPage, configDumpPage, connectionsPage, syncPage, syncState } from './client-pages.ts';
import type { DebugAccess } from './debug-access.ts';
import type { DebugRefusal } from './debug-refusal.ts';
import { jsonPieces } from './long-json.ts';

const ztunnel = 'spiffe://cluster.local/ns/istio-system/sa/ztunnel';
const type: StreamTypeStatus = {
  typeUrl: typeUrl.address,
  wildcard: false,
  resources: 1,
  sentNonce: 'b',
  ackedNonce: 'b',
  acks: 2,
  nacks: 0,
  lastError: '',
};

function connection(id: number, pod: string, principal: string): ConnectionStatus {
  const namespace = 'istio-system';
  const nodeId = `ztunnel~10.0.0.${id}~${pod}.${namespace}~${namespace}.svc.cluster.local`;
  return {
    id,
    peer: `10.0.0.${id}:4000`,
    principal,
    node: { id: nodeId, type: 'ztunnel', namespace, nodeName: 'n1', clusterId: 'east', version: '1.32.0' },
    connectedAtMs: Date.UTC(2026, 0, 1),
    types: [type],
  };
}

const connections = [
  connection(1, 'z-1', ztunnel),
  connection(2, 'gw', 'spiffe://cluster.local/ns/shop/sa/gw'),
];
const holdings = (id: number): StreamHoldings[] => [
  { typeUrl: typeUrl.address, asked: ['/10.1.0.1'], sent: id === 1 ? undefined : ['c//Pod/shop/b'] },
];
const streams = { connections: () => connections, holdings };

const pod = (name: string) => ({
  name: `c//Pod/shop/${name}`,
  bytes: istio.workload.Address.encode({
    workload: {
      uid: `c//Pod/shop/${name}`,
      name,
      namespace: 'shop',
      addresses: [Buffer.from([10, 1, 0, 1])],
    },
  }).finish(),
});
const tables = {
  authorization: new ResourceTable(typeUrl.authorization),
  address: new ResourceTable(typeUrl.address),
};
tables.address.apply([pod('a'), pod('b')], []);

const parsed = (page: unknown): unknown => JSON.parse([...jsonPieces(page)].join(''));

function dump(query: string, access: DebugAccess = { kind: 'root' }): string[] {
  const page = parsed(configDumpPage(streams, tables, new URLSearchParams(query), access));
  return (page as { workloads: { name: string }[] }).workloads.map(({ name }) => name);
}

const refusal = (work: () => unknown): string => {
  try {
    work();
    return 'none';
  } catch (error) {
    return `${(error as DebugRefusal).status} ${(error as DebugRefusal).message}`;
  }
};

describe('pages of proxies', () => {
  for (const [expected, fields] of [
    ['NOT SENT', { sentNonce: '', ackedNonce: '' }],
    ['SYNCED', {}],
    ['STALE', { ackedNonce: 'a' }],
    ['ERROR', { lastError: 'bad' }],
  ] as const)
    it(`say ${expected}`, () => {
      expect(syncState({ ...type, ...fields })).equal(expected);
    });

  it('have the fields of istiod', () => {
    expect((parsed(syncPage(streams)) as unknown[])[0]).deep.include({
      cluster_id: 'east',
      proxy: 'z-1.istio-system',
      proxy_type: 'ztunnel',
      istio_version: '1.32.0',
    });
    expect(parsed(connectionsPage(streams))).deep.include({ totalClients: 2 });
    const { clients } = parsed(adsPage(streams, new URLSearchParams())) as { clients: object[] };
    expect(clients[1]).deep.include({
      address: '10.0.0.2:4000',
      connectedAt: '2026-01-01T00:00:00.000Z',
      watches: { [typeUrl.address]: ['/10.1.0.1'] },
    });
  });

  it('show what one proxy was sent: everything, or what it asked for', () => {
    expect(dump('proxyID=z-1.istio-system')).deep.equal(['a', 'b']);
    expect(dump('proxyID=gw.istio-system')).deep.equal(['b']);
    expect(dump(`proxyID=${connections[1]!.node!.id}`)).deep.equal(['b']);
  });

  it('show an account of another namespace what was sent to itself, and nothing of others', () => {
    const access: DebugAccess = { kind: 'own', principal: connections[1]!.principal };
    expect(dump('', access)).deep.equal(['b']);
    expect(dump('proxyID=gw.istio-system', access)).deep.equal(['b']);
    const foreign = refusal(() => dump('proxyID=z-1.istio-system', access));
    expect(foreign).match(/^404/);
    expect(foreign).equal(refusal(() => dump('proxyID=nobody', access)));
  });

  it('say in the words that istioctl looks for that a proxy is with another replica', () => {
    expect(refusal(() => dump('proxyID=x'))).equal(
      '404 Proxy not connected to this Pilot instance. It may be connected to another instance.',
    );
    expect(refusal(() => dump(''))).match(/^400 .*proxyID/);
  });
});
