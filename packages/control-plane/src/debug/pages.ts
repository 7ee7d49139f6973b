import type { LogLevels } from '@ambient/runtime';
import type { DeltaServer, ResourceTable } from '@ambient/xds/server';

import type { Certificates } from '../certificates.ts';
import type { Engine } from '../cluster/engine.ts';
import type { Discovery } from '../discovery/discovery.ts';
import type { Finding } from '../discovery/finding.ts';
import type { KindName } from '@ambient/kube';
import type { Leader } from '../leader/leader.ts';
import type { ControlPlaneSettings } from '../settings/settings.ts';
import { networkGatewaysOf } from '../translate/network-gateway.ts';
import { caPage } from './ca-page.ts';
import { adsPage, configDumpPage, connectionsPage, syncPage } from './client-pages.ts';
import type { DebugAccess } from './debug-access.ts';
import { DebugRefusal } from './debug-refusal.ts';
import { explainPage } from './explain-page.ts';
import { showLevels } from './log-levels.ts';
import { LongList } from './long-json.ts';
import { meshPage, policyList } from './mesh-pages.ts';
import type { ServedTables } from './mesh-pages.ts';

/** What debug pages show. */
export interface DebugSubject {
  readonly settings: ControlPlaneSettings;
  readonly discovery: Discovery;
  readonly streams: DeltaServer;
  readonly certificates: Pick<Certificates, 'authorities'>;
  readonly leader: { readonly election: Pick<Leader['election'], 'leader' | 'leading'> };
  readonly levels: LogLevels;
}

export interface DebugPage {
  readonly doc: string;
  /** Accounts outside the root namespace may ask for it: it shows each no more than its own. */
  readonly forOwn?: true;
  /** The content: JSON, or a `LongList` or `LongObject`. @throws DebugRefusal */
  readonly make: (query: URLSearchParams, access: DebugAccess) => unknown;
}

/** The kinds that people write for the mesh; the others belong to Kubernetes. */
const configKinds: readonly KindName[] = [
  'AuthorizationPolicy',
  'GRPCRoute',
  'Gateway',
  'GatewayClass',
  'HTTPRoute',
  'PeerAuthentication',
  'ReferenceGrant',
  'ServiceEntry',
  'TCPRoute',
  'TLSRoute',
  'WorkloadEntry',
];

/** Every page by its name, with istiod's names where it has such a page. None of them shows a key or a token. */
export function debugPages(subject: DebugSubject): ReadonlyMap<string, DebugPage> {
  const { discovery, streams, leader, certificates, levels } = subject;
  const { engine } = discovery;
  const [authorization, address] = discovery.tables as [ResourceTable, ResourceTable];
  const tables: ServedTables = { authorization, address };
  const namespaceOf = (query: URLSearchParams) => ({ namespace: query.get('namespace') ?? undefined });
  const pages = new Map<string, DebugPage>([
    ['syncz', { doc: 'what each proxy was sent and has accepted', make: () => syncPage(streams) }],
    ['connections', { doc: 'proxies that are connected', make: () => connectionsPage(streams) }],
    [
      'adsz',
      { doc: 'what each proxy has asked for; ?proxyID= for one', make: (query) => adsPage(streams, query) },
    ],
    [
      'config_dump',
      {
        doc: 'what one proxy was sent; ?proxyID=POD.NAMESPACE',
        forOwn: true,
        make: (query, access) => configDumpPage(streams, tables, query, access),
      },
    ],
    [
      'ambientz',
      {
        doc: 'workloads, services and policies as they are served; ?namespace= for one namespace',
        make: (query) => meshPage(tables, namespaceOf(query)),
      },
    ],
    [
      'authorizationz',
      {
        doc: 'policies as they are served; ?namespace= for one namespace',
        make: (query) => policyList(tables, namespaceOf(query)),
      },
    ],
    [
      'explain',
      {
        doc: 'which objects a resource comes from; ?resource=KEY',
        make: (query) => explainPage(engine, discovery.tables, query),
      },
    ],
    ['problemz', { doc: 'objects that are refused, and the field why', make: () => problems(engine) }],
    [
      'configz',
      {
        doc: 'the objects of the mesh API as they were read; ?kind= for one kind',
        make: (query) => objects(engine, query),
      },
    ],
    ['push_status', { doc: 'what is served, and since which change', make: () => pushStatus(discovery) }],
    [
      'krtz',
      {
        doc: 'the engine that derives what is served',
        make: () => ({ engine: engine.state(), hidden: discovery.scope.hidden }),
      },
    ],
    ['mesh', { doc: 'settings of the mesh in force', make: () => discovery.settings }],
    ['clusterz', { doc: 'what is followed of the cluster', make: () => clusters(subject) }],
    [
      'networkz',
      {
        doc: 'our network, and the gateways to others',
        make: () => networks(subject),
      },
    ],
    [
      'certz',
      { doc: 'who signs, and how far a rotation is', make: () => caPage(certificates.authorities.state) },
    ],
    [
      'leader',
      {
        doc: 'which replica leads',
        make: () => ({ leader: leader.election.leader, leading: leader.election.leading }),
      },
    ],
    ['logging', { doc: 'log levels; POST ?level= changes them', make: () => showLevels(levels) }],
  ]);
  return pages.set('list', {
    doc: 'names of the pages',
    make: () => [...pages.keys()].filter((name) => name !== 'list').sort(),
  });
}

function problems(engine: Engine<Finding>): LongList {
  function* listed(): Generator<unknown> {
    for (const { kind, key, problems: found } of [...engine.reports()])
      yield found.length === 0
        ? undefined
        : { object: `${kind ?? 'MeshConfig'} ${key}`.trim(), problems: found };
  }
  return new LongList(listed());
}

function objects({ store }: Engine<Finding>, query: URLSearchParams): LongList {
  const wanted = query.get('kind');
  const kinds = configKinds.filter((kind) => wanted === null || wanted === kind);
  if (kinds.length === 0)
    throw new DebugRefusal(400, `?kind= is one of ${configKinds.join(', ')}, or absent for all.`);
  function* listed(): Generator<unknown> {
    for (const kind of kinds) yield* [...store.table(kind).values()];
  }
  return new LongList(listed());
}

function pushStatus({ tables, engine }: Discovery): unknown {
  return {
    dirty: engine.dirty,
    tables: tables.map(({ typeUrl, size, generation, lastUpsert, lastRemoval, completeSince }) => ({
      typeUrl,
      resources: size,
      generation,
      lastUpsert,
      lastRemoval,
      completeSince,
    })),
  };
}

function networks({ discovery, settings }: DebugSubject): unknown {
  const { engine, settings: mesh } = discovery;
  const cluster = settings.cluster.clusterId;
  const gateways = [...engine.store.table('Gateway').values()]
    .flatMap((gateway) => networkGatewaysOf(gateway, mesh))
    .map(({ network, address, port, namespace, name }) => ({
      network,
      cluster,
      gateway: `${namespace}/${name}`,
      address,
      hbonePort: port,
    }));
  return [{ network: mesh.network, cluster }, ...gateways];
}

function clusters({ discovery, settings }: DebugSubject): unknown {
  const { watch } = discovery;
  return [
    {
      id: settings.cluster.clusterId,
      secretName: '',
      syncStatus: watch.synced ? 'synced' : 'syncing',
      kinds: watch.states(),
    },
  ];
}
