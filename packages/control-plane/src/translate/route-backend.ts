// Where a route sends to, and whether that is there and may be sent to.
import type { Route } from '@ambient/kube';
import { isRecord } from '@ambient/kube';
import type { ClusterLookup } from '../cluster/lookup.ts';
import { isInMesh } from './mesh-service.ts';
import type { MeshSettings } from './mesh-settings.ts';
import { serviceOfHostname } from './names.ts';
import { readServiceEntry } from './read-service-entry.ts';
import { grants } from './reference-grant.ts';
import { visibilityOf } from './service-ownership.ts';

const GATEWAY_GROUP = 'gateway.networking.k8s.io';

/** Reasons of `ResolvedRefs` (Gateway API, RouteConditionReason). */
export type BackendReason = 'BackendNotFound' | 'InvalidKind' | 'RefNotPermitted';

export interface BackendProblem {
  /** Of the reference, from the root of the route. */
  readonly path: string;
  readonly reason: BackendReason;
  readonly message: string;
}

interface Backend {
  readonly path: string;
  readonly reference: Readonly<Record<string, unknown>>;
}

/** Everything that a route refers to and cannot send to, in its order. */
export function backendProblems(route: Route, lookup: ClusterLookup, mesh: MeshSettings): BackendProblem[] {
  return backendsOf(route).flatMap(({ path, reference }) => {
    const problem = judge(reference, route, lookup, mesh);
    return problem === undefined ? [] : [{ path, ...problem }];
  });
}

function backendsOf(route: Route): Backend[] {
  const spec: unknown = route.spec;
  if (!isRecord(spec)) return [];
  return items(spec, 'rules', 'spec').flatMap(({ path, reference: rule }) => {
    const backends = items(rule, 'backendRefs', path);
    const filtered = [{ path, reference: rule }, ...backends];
    return [...backends, ...filtered.flatMap((each) => backendsOfFilters(each))];
  });
}

/** Mirrors, and services that are asked for permission. */
function backendsOfFilters({ path, reference }: Backend): Backend[] {
  return items(reference, 'filters', path).flatMap((filter) =>
    ['requestMirror', 'externalAuth'].flatMap((name) => {
      const settings = filter.reference[name];
      const backend = isRecord(settings) ? settings['backendRef'] : undefined;
      return isRecord(backend) ? [{ path: `${filter.path}.${name}.backendRef`, reference: backend }] : [];
    }),
  );
}

function items(object: Readonly<Record<string, unknown>>, field: string, path: string): Backend[] {
  const list = object[field];
  if (!Array.isArray(list)) return [];
  return (list as unknown[]).flatMap((item, i) =>
    isRecord(item) ? [{ path: `${path}.${field}[${i}]`, reference: item }] : [],
  );
}

type Judgement = Omit<BackendProblem, 'path'> | undefined;

function judge(
  reference: Backend['reference'],
  route: Route,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): Judgement {
  const { group = '', kind = 'Service', name, namespace, port } = reference;
  if (typeof name !== 'string' || name === '') return notFound('names no backend');
  if (kind === 'Service' && (group === '' || group === 'core'))
    return judgeService(name, namespace, port, route, lookup);
  if (kind === 'Hostname' && group === 'networking.istio.io')
    return judgeHostname(name, namespace, port, route, lookup, mesh);
  return {
    reason: 'InvalidKind',
    message: `nothing can be sent to ${JSON.stringify(kind)} of group ${JSON.stringify(group)}: use Service, or Hostname of networking.istio.io for a host of a ServiceEntry`,
  };
}

function judgeService(
  name: string,
  wanted: unknown,
  port: unknown,
  route: Route,
  lookup: ClusterLookup,
): Judgement {
  const own = route.metadata.namespace ?? '';
  const namespace = typeof wanted === 'string' && wanted !== '' ? wanted : own;
  // Before anything is said of the other namespace.
  if (namespace !== own && !isGranted(route, namespace, name, lookup))
    return {
      reason: 'RefNotPermitted',
      message: `Service ${namespace}/${name} is of another namespace, which has no ReferenceGrant from ${route.kind} of namespace ${own} to it`,
    };
  const service = lookup.get('Service', namespace, name);
  if (service === undefined) return notFound(`Service ${namespace}/${name} does not exist`);
  if (!isInMesh(service))
    return notFound(
      `Service ${namespace}/${name} is of type ExternalName, a mere alias that the mesh does not have`,
    );
  if (typeof port !== 'number') return notFound(`names no port of Service ${namespace}/${name}, as it must`);
  const ports = service.spec?.ports ?? [];
  return ports.some(({ port: number, protocol = 'TCP' }) => number === port && protocol === 'TCP')
    ? undefined
    : notFound(`Service ${namespace}/${name} has no TCP port ${port}`);
}

function isGranted(route: Route, namespace: string, name: string, lookup: ClusterLookup): boolean {
  const from = { group: GATEWAY_GROUP, kind: route.kind, namespace: route.metadata.namespace ?? '' };
  const to = { group: '', kind: 'Service', name };
  return lookup
    .list('ReferenceGrant', 'by-namespace', namespace)
    .some((grant) => grants(grant, { from, to }));
}

/** A host name that the mesh has, by a ServiceEntry that is seen from the route's namespace, or by a Service. */
function judgeHostname(
  host: string,
  wanted: unknown,
  port: unknown,
  route: Route,
  lookup: ClusterLookup,
  mesh: MeshSettings,
): Judgement {
  const own = route.metadata.namespace ?? '';
  if (wanted !== undefined && wanted !== own)
    return notFound(`Hostname ${host} has a namespace, as none has`);
  const entries = lookup.list('ServiceEntry', 'by-host', host).filter((entry) => {
    const visibility = visibilityOf(entry, lookup, mesh);
    const isSeen =
      visibility === 'PUBLIC' || (visibility === 'NAMESPACE' && entry.metadata.namespace === own);
    return isSeen && readServiceEntry(entry).hosts.includes(host);
  });
  const service = serviceOfHostname(host, mesh.domain);
  const named = service === undefined ? undefined : lookup.get('Service', service.namespace, service.name);
  const ports = entries.flatMap((entry) => readServiceEntry(entry).ports.map(({ number }) => number));
  if (isInMesh(named)) ports.push(...(named.spec?.ports ?? []).map(({ port: number }) => number));
  else if (entries.length === 0)
    return notFound(`no ServiceEntry that namespace ${own} sees has host ${host}`);
  if (typeof port !== 'number') return notFound(`names no port of host ${host}, as it must`);
  return ports.includes(port) ? undefined : notFound(`host ${host} has no port ${port}`);
}

function notFound(message: string): Judgement {
  return { reason: 'BackendNotFound', message };
}
