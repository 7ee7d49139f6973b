import type { LoadBalancing, RoutingScope, Service, Workload } from './types.ts';

/** How the port of a call is looked up: a user's call, or the way to a waypoint that a resource names. */
export type PortLookup = 'service' | 'waypoint';

/** Why endpoints of a service were not candidates; for explanations and refusals. */
export interface EndpointCensus {
  readonly total: number;
  readonly unhealthy: number;
  /** No address or hostname, and not behind a gateway of another network. */
  readonly unreachable: number;
  /** No target port for the called service port. */
  readonly withoutPort: number;
  /** Not in every scope of a STRICT preference, or ranked below the best of a FAILOVER preference. */
  readonly outsideLocality: number;
}

/** The endpoints that a call may use, from one place in the mesh, ready for a weighted pick. */
export interface EndpointSelection {
  readonly workloads: readonly Workload[];
  /** Target port of each of `workloads`. */
  readonly ports: readonly number[];
  /** Sum of the capacities; 0 means that none can be picked. */
  readonly capacity: number;
  /** Undefined when all capacities are 1, else the running sum of capacities. */
  readonly cumulative: Float64Array | undefined;
  readonly census: EndpointCensus;
}

interface CachedSelection extends EndpointSelection {
  readonly source: Workload;
  readonly lookup: PortLookup;
}

/** Selections kept per service; only services with very many ports called at once ever reach it. */
const SELECTION_LIMIT = 64;

/**
 * A service with the workloads that claim to be its endpoints. Either may come first: without its service it stages endpoints.
 *
 * The candidates of a call depend on the port and on where the source is, and change only when the service or an endpoint
 * does, so they are kept; a pick among a thousand endpoints is then one random number and a binary search.
 */
export class ServiceEndpoints {
  readonly key: string;
  #service: Service | undefined;
  readonly #workloads: Workload[] = [];
  /** By port; absent for the many services that nobody here calls. */
  #selections: Map<number, CachedSelection> | undefined;

  constructor(key: string) {
    this.key = key;
  }

  /** Undefined while only endpoints are known. */
  get service(): Service | undefined {
    return this.#service;
  }

  set service(service: Service | undefined) {
    this.#service = service;
    this.#selections = undefined;
  }

  get workloads(): readonly Workload[] {
    return this.#workloads;
  }

  add(workload: Workload): void {
    this.#workloads.push(workload);
    this.#selections = undefined;
  }

  remove(workload: Workload): void {
    const at = this.#workloads.indexOf(workload);
    if (at < 0) return;
    const last = this.#workloads.pop()!;
    if (at < this.#workloads.length) this.#workloads[at] = last;
    this.#selections = undefined;
  }

  /** Whether the workload of that uid is an endpoint, healthy or not. */
  has(uid: string): boolean {
    for (const workload of this.#workloads) if (workload.uid === uid) return true;
    return false;
  }

  /** The candidates for a call to `port` of the service, from where `source` is. The service must be known. */
  select(source: Workload, port: number, lookup: PortLookup): EndpointSelection {
    const selections = (this.#selections ??= new Map<number, CachedSelection>());
    const known = selections.get(port);
    if (known !== undefined && known.lookup === lookup && samePlace(known.source, source)) return known;
    const selection = selectEndpoints(this.key, this.#service!, this.#workloads, source, port, lookup);
    if (selections.size >= SELECTION_LIMIT) selections.clear();
    selections.set(port, { ...selection, source, lookup });
    return selection;
  }
}

/** A service that the control plane has described, as opposed to one of which only endpoints are known. */
export type KnownService = ServiceEndpoints & { readonly service: Service };

/** Whether the service itself has arrived. */
export function isKnownService(entry: ServiceEndpoints | undefined): entry is KnownService {
  return entry?.service !== undefined;
}

/** Index of a candidate, drawn by capacity with `random` in [0, 1); -1 if there is none. */
export function pickEndpoint(selection: EndpointSelection, random: () => number): number {
  if (selection.capacity <= 0) return -1;
  const mark = random() * selection.capacity;
  const cumulative = selection.cumulative;
  if (cumulative === undefined) return Math.floor(mark);
  let low = 0;
  let high = cumulative.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (cumulative[middle]! > mark) high = middle;
    else low = middle + 1;
  }
  return low;
}

/**
 * The number to dial on `endpoint` for a service port: the endpoint's own mapping, else the service's target port, else, on the
 * way to a waypoint whose application tunnel has a port, the port itself (the tunnel replaces it). 0 if there is none.
 */
export function targetPort(
  key: string,
  service: Service,
  endpoint: Workload,
  port: number,
  lookup: PortLookup,
): number {
  const declared = servicePort(service, port);
  if (declared === undefined && (lookup === 'service' || endpoint.applicationTunnel === undefined)) return 0;
  const mappings = endpoint.services[key];
  if (mappings !== undefined) {
    for (const mapping of mappings) {
      if (mapping.servicePort === port && mapping.targetPort !== 0) return mapping.targetPort;
    }
  }
  if (declared !== undefined && declared !== 0) return declared;
  const tunnelled = lookup === 'waypoint' && (endpoint.applicationTunnel?.port ?? 0) !== 0;
  return tunnelled ? port : 0;
}

/** Target port that the service declares for `port`: 0 for a named one, undefined if it has no such port. */
export function servicePort(service: Service, port: number): number | undefined {
  for (const mapping of service.ports) if (mapping.servicePort === port) return mapping.targetPort;
  return undefined;
}

function selectEndpoints(
  key: string,
  service: Service,
  endpoints: readonly Workload[],
  source: Workload,
  port: number,
  lookup: PortLookup,
): EndpointSelection {
  const balancing = service.loadBalancing;
  const allowUnhealthy = balancing?.healthPolicy === 'ALLOW_ALL';
  const workloads: Workload[] = [];
  const ports: number[] = [];
  let unhealthy = 0;
  let unreachable = 0;
  let withoutPort = 0;
  let outsideLocality = 0;
  let bestRank = 0;
  for (const endpoint of endpoints) {
    if (endpoint.status === 'UNHEALTHY' && !allowUnhealthy) {
      unhealthy++;
      continue;
    }
    if (!isReachable(endpoint, source)) {
      unreachable++;
      continue;
    }
    const target = targetPort(key, service, endpoint, port, lookup);
    if (target === 0) {
      withoutPort++;
      continue;
    }
    const rank = balancing === undefined ? 0 : localityRank(balancing, source, endpoint);
    if (rank < bestRank) {
      outsideLocality++;
      continue;
    }
    if (rank > bestRank) {
      outsideLocality += workloads.length;
      workloads.length = ports.length = 0;
      bestRank = rank;
    }
    workloads.push(endpoint);
    ports.push(target);
  }
  const census = { total: endpoints.length, unhealthy, unreachable, withoutPort, outsideLocality };
  return { workloads, ports, census, ...weigh(workloads) };
}

function weigh(workloads: readonly Workload[]): Pick<EndpointSelection, 'capacity' | 'cumulative'> {
  if (workloads.every((workload) => workload.capacity === 1)) {
    return { capacity: workloads.length, cumulative: undefined };
  }
  const cumulative = new Float64Array(workloads.length);
  let capacity = 0;
  workloads.forEach((workload, at) => {
    capacity += workload.capacity;
    cumulative[at] = capacity;
  });
  return { capacity, cumulative };
}

/** The control plane names a gateway for every workload, so one within the source's own network does not count. */
function isReachable(endpoint: Workload, source: Workload): boolean {
  if (endpoint.addresses.length > 0 || endpoint.hostname !== '') return true;
  return endpoint.network !== source.network && endpoint.networkGateway !== undefined;
}

/**
 * Rank of an endpoint, more is nearer; -1 excludes it. STRICT needs every scope. Any other mode with preferences counts the
 * leading scopes that match; a leading NETWORK scope counts for all scopes after it, and does not end the count when it
 * differs, so that any endpoint of the own network beats most remote ones and remote ones still rank by region and zone.
 */
function localityRank(balancing: LoadBalancing, source: Workload, endpoint: Workload): number {
  if (balancing.mode === 'UNSPECIFIED_MODE') return 0;
  const scopes = balancing.routingPreference;
  if (balancing.mode === 'STRICT') {
    return scopes.every((scope) => inScope(scope, source, endpoint)) ? 0 : -1;
  }
  let rank = 0;
  let first = 0;
  if (scopes[0] === 'NETWORK') {
    first = 1;
    if (source.network === endpoint.network) rank = scopes.length - 1;
  }
  for (let at = first; at < scopes.length; at++) {
    if (!inScope(scopes[at]!, source, endpoint)) break;
    rank++;
  }
  return rank;
}

function inScope(scope: RoutingScope, source: Workload, endpoint: Workload): boolean {
  switch (scope) {
    case 'REGION':
      return source.locality.region === endpoint.locality.region;
    case 'ZONE':
      return source.locality.zone === endpoint.locality.zone;
    case 'SUBZONE':
      return source.locality.subzone === endpoint.locality.subzone;
    case 'NODE':
      return source.node === endpoint.node;
    case 'CLUSTER':
      return source.clusterId === endpoint.clusterId;
    case 'NETWORK':
      return source.network === endpoint.network;
  }
}

function samePlace(a: Workload, b: Workload): boolean {
  return (
    a === b ||
    (a.node === b.node &&
      a.network === b.network &&
      a.clusterId === b.clusterId &&
      a.locality.region === b.locality.region &&
      a.locality.zone === b.locality.zone &&
      a.locality.subzone === b.locality.subzone)
  );
}
