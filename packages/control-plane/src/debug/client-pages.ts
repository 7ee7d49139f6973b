/** Pages of the proxies that are connected to this replica. */
import { typeUrl } from '@ambient/wire';
import type { ConnectionStatus, DeltaServer, StreamTypeStatus } from '@ambient/xds/server';

import type { DebugAccess } from './debug-access.ts';
import { DebugRefusal } from './debug-refusal.ts';
import { LongList, LongObject } from './long-json.ts';
import { meshPage } from './mesh-pages.ts';
import type { ServedTables } from './mesh-pages.ts';

type Streams = Pick<DeltaServer, 'connections' | 'holdings'>;

/** What has been sent to a proxy, and what it has said to that. */
export type SyncState = 'NOT SENT' | 'SYNCED' | 'STALE' | 'ERROR';

export function syncState({ sentNonce, ackedNonce, lastError }: StreamTypeStatus): SyncState {
  if (sentNonce === '') return 'NOT SENT';
  if (lastError !== '') return 'ERROR';
  return sentNonce === ackedNonce ? 'SYNCED' : 'STALE';
}

/** The short names that users of istioctl know. */
const shortTypes: Readonly<Record<string, string>> = {
  [typeUrl.address]: 'WDS',
  [typeUrl.authorization]: 'WADS',
};

/** `/debug/syncz`: the fields that istiod has, and per type where the proxy stands. */
export function syncPage(streams: Streams): LongList {
  return listOf(streams.connections(), ({ node, types }) =>
    node === undefined
      ? undefined
      : {
          cluster_id: node.clusterId,
          proxy: proxyName(node.id),
          proxy_type: node.type,
          istio_version: node.version,
          types: types.map(syncOf),
        },
  );
}

function syncOf(type: StreamTypeStatus): unknown {
  return {
    type: shortTypes[type.typeUrl] ?? type.typeUrl,
    type_url: type.typeUrl,
    status: syncState(type),
    sent: type.sentNonce,
    acked: type.ackedNonce,
    everything: type.wildcard,
    resources: type.resources,
    nacks: type.nacks,
    ...(type.lastError === '' ? {} : { error: type.lastError }),
  };
}

/** `/debug/connections`. */
export function connectionsPage(streams: Streams): LongObject {
  const connections = streams.connections();
  return new LongObject([
    ['totalClients', connections.length],
    ['clients', listOf(connections, connectionHead)],
  ]);
}

/** `/debug/adsz`: `connections`, and the names that each has asked for; none for a proxy that asked for everything. */
export function adsPage(streams: Streams, query: URLSearchParams): unknown {
  const proxy = query.get('proxyID');
  const connections = streams.connections().filter((one) => proxy === null || isProxy(one, proxy));
  if (proxy !== null && connections.length === 0) throw notConnected();
  const clients = listOf(connections, (connection) => ({
    ...connectionHead(connection),
    principal: connection.principal,
    metadata: connection.node,
    watches: Object.fromEntries(
      (streams.holdings(connection.id) ?? []).map((type) => [type.typeUrl, type.asked]),
    ),
  }));
  return new LongObject([
    ['totalClients', connections.length],
    ['clients', clients],
  ]);
}

/**
 * `/debug/config_dump?proxyID=`: what one proxy was sent. An account of another namespace sees proxies that run as itself.
 *
 * @throws DebugRefusal
 */
export function configDumpPage(
  streams: Streams,
  tables: ServedTables,
  query: URLSearchParams,
  access: DebugAccess,
): unknown {
  const proxy = query.get('proxyID');
  const mine = streams
    .connections()
    .filter(({ principal }) => access.kind !== 'own' || principal === access.principal);
  if (proxy === null && (access.kind !== 'own' || mine.length !== 1))
    throw new DebugRefusal(
      400,
      'Add ?proxyID=POD.NAMESPACE, or the whole node id. /debug/connections lists them.',
    );
  const connection = proxy === null ? mine[0] : mine.find((one) => isProxy(one, proxy));
  if (connection === undefined) throw notConnected();
  const holdings = streams.holdings(connection.id) ?? [];
  const sentOf = (type: string): readonly string[] | undefined => {
    const found = holdings.find((one) => one.typeUrl === type);
    return found === undefined ? [] : found.sent;
  };
  const { fields } = meshPage(tables, {
    addresses: sentOf(typeUrl.address),
    policies: sentOf(typeUrl.authorization),
  });
  return new LongObject([
    ['proxy', { ...connectionHead(connection), principal: connection.principal, ...connection.node }],
    ['types', connection.types],
    ...fields,
  ]);
}

/** `POD.NAMESPACE`, by which istioctl names proxies. */
function proxyName(nodeId: string): string {
  return nodeId.split('~')[2] ?? nodeId;
}

function isProxy({ id, node }: ConnectionStatus, wanted: string): boolean {
  return (
    node !== undefined &&
    (node.id === wanted || proxyName(node.id) === wanted || `${node.id}-${id}` === wanted)
  );
}

function listOf(
  connections: readonly ConnectionStatus[],
  entryOf: (connection: ConnectionStatus) => unknown,
): LongList {
  function* entries(): Generator<unknown> {
    for (const connection of connections) yield entryOf(connection);
  }
  return new LongList(entries());
}

function connectionHead({ id, node, connectedAtMs, peer }: ConnectionStatus) {
  return {
    connectionId: `${node?.id ?? ''}-${id}`,
    connectedAt: new Date(connectedAtMs).toISOString(),
    address: peer,
  };
}

function notConnected(): DebugRefusal {
  // istioctl looks for this very sentence, to ask the next replica.
  return new DebugRefusal(
    404,
    'Proxy not connected to this Pilot instance. It may be connected to another instance.',
  );
}
