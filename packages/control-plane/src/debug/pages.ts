import { istio, typeUrl } from '@ambient/wire';

import type { DebugSubject } from './debug-server.ts';

/** Makes the content of one page, JSON. */
export type DebugPage = (query: URLSearchParams) => unknown;

/** Every page by its path, with istiod's names. None of them shows a key. */
export function debugPages({
  discovery,
  streams,
  leader,
  settings,
}: DebugSubject): ReadonlyMap<string, DebugPage> {
  const pages = new Map<string, DebugPage>([
    ['/debug/connections', () => ({ totalClients: streams.connectionCount, clients: streams.connections() })],
    ['/debug/syncz', () => streams.connections()],
    ['/debug/ambientz', () => addresses(discovery)],
    ['/debug/authorizationz', () => policies(discovery)],
    ['/debug/krtz', () => ({ engine: discovery.engine.state(), hidden: discovery.scope.hidden })],
    ['/debug/clusterz', () => [{ id: settings.cluster.clusterId, kinds: discovery.watch.states() }]],
    ['/debug/mesh', () => discovery.settings],
    ['/debug/problemz', () => problems(discovery)],
    ['/debug/leader', () => ({ leader: leader.election.leader, leading: leader.election.leading })],
  ]);
  return pages.set('/debug/list', () => [...pages.keys()]);
}

type Discovery = DebugSubject['discovery'];

function addresses({ engine }: Discovery): unknown {
  const workloads: unknown[] = [];
  const services: unknown[] = [];
  for (const { bytes } of engine.resources(typeUrl.address)) {
    const { workload, service } = istio.workload.Address.decode(bytes);
    if (workload) workloads.push(workload);
    else services.push(service);
  }
  return { workloads, services, policies: policies({ engine }) };
}

function policies({ engine }: Pick<Discovery, 'engine'>): unknown {
  return Array.from(engine.resources(typeUrl.authorization), ({ bytes }) =>
    istio.security.Authorization.decode(bytes),
  );
}

function problems({ engine }: Discovery): unknown {
  return Array.from(engine.reports()).flatMap(({ kind, key, problems: found }) =>
    found.length === 0 ? [] : [{ object: `${kind ?? 'MeshConfig'} ${key}`.trim(), problems: found }],
  );
}
