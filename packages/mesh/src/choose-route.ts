import { samePrincipal, workloadIdentity } from './identity.ts';
import { formatHostPort, isLoopback } from './ip.ts';
import { gatewayName, hopOfGateway, hopOfService, hopOfWorkload, refuse } from './next-hop.ts';
import type { NextHop, RouteCall } from './next-hop.ts';
import { HBONE_PORT } from './route.ts';
import type { DirectRoute, HboneRoute, RefusedRoute, Route } from './route.ts';
import type { KnownService } from './service-endpoints.ts';
import type { MeshStore } from './store.ts';
import type { GatewayAddress, Service, Workload } from './types.ts';

/**
 * Decides where an outbound connection of a pod goes, as Istio's ztunnel does. The caller has found the pod's own workload.
 *
 * 1. A loopback destination on a port of the proxy is a call to itself.
 * 2. A service with a waypoint goes to the waypoint.
 * 3. Otherwise an endpoint of the service, or the workload of the address, is picked; an unknown address passes as it is.
 * 4. Whatever was picked on another network is reached through the gateway of that network.
 * 5. A workload dialled by its own address that has a waypoint goes to the waypoint, unless that is the caller.
 * 6. What is left is dialled: in a tunnel if the workload takes one, else plain.
 *
 * A waypoint or gateway that cannot be resolved refuses the connection: going without it would go around its policies.
 */
export function chooseRoute(store: MeshStore, call: RouteCall): Route {
  const { source, destination } = call;
  if (isLoopback(destination.ip) && call.selfPorts.includes(destination.port))
    return refuse('self-call', formatHostPort(destination.ip, destination.port));

  const service = findTargetService(store, call);
  if (service !== undefined) {
    const waypoint = chooseWaypoint(service.service, call.random);
    if (waypoint !== undefined) return viaServiceWaypoint(store, call, service, waypoint);
  }

  const picked = pickUpstream(store, call, service);
  if (picked.kind !== 'hop') return picked;
  // An address can be a workload's for the lookup above and a service's for the pick: either service will do.
  const called = service?.service ?? picked.service;
  if (picked.workload.network !== source.network) return throughGateway(store, call, picked, called);

  if (service === undefined && picked.workload.waypoint !== undefined) {
    const route = viaWorkloadWaypoint(store, call, picked, picked.workload.waypoint);
    if (route !== undefined) return route;
  }
  return toWorkload(picked, called);
}

/** A workload of that address hides a service: its caller wants the pod. */
function findTargetService(store: MeshStore, call: RouteCall): KnownService | undefined {
  const { network, source, destination } = call;
  const found = store.findAddress(network, destination.ip, source.namespace);
  call.trace?.({
    kind: 'destination',
    network,
    address: destination,
    found: found?.kind ?? 'nothing',
    key: found === undefined ? '' : found.kind === 'service' ? found.service.key : found.workload.uid,
  });
  return found?.kind === 'service' ? found.service : undefined;
}

/** Weighted waypoints share connections by weight; without any weight the plain waypoint takes all. */
function chooseWaypoint(service: Service, random: () => number): GatewayAddress | undefined {
  let total = 0;
  for (const { weight } of service.weightedWaypoints) total += weight;
  if (total === 0) return service.waypoint;
  let mark = random() * total;
  for (const { destination, weight } of service.weightedWaypoints) {
    if (mark < weight) return destination;
    mark -= weight;
  }
  return service.waypoint;
}

function viaServiceWaypoint(
  store: MeshStore,
  call: RouteCall,
  { key, service }: KnownService,
  waypoint: GatewayAddress,
): Route {
  call.trace?.({ kind: 'waypoint', of: 'service', key, outcome: 'used', waypoint: gatewayName(waypoint) });
  const hop = hopOfGateway(store, call, waypoint, 'waypoint');
  if (hop.kind !== 'hop') return hop;
  if (hop.workload.network !== call.source.network) return throughGateway(store, call, hop, service);
  return viaWaypoint(call, hop, 'service-waypoint', undefined, service);
}

/** Undefined if the caller is the waypoint itself. */
function viaWorkloadWaypoint(
  store: MeshStore,
  call: RouteCall,
  { workload, service }: NextHop,
  waypoint: GatewayAddress,
): Route | undefined {
  const exempt = isCallerOf(store, call, waypoint);
  call.trace?.({
    kind: 'waypoint',
    of: 'workload',
    key: workload.uid,
    outcome: exempt ? 'caller-is-the-waypoint' : 'used',
    waypoint: gatewayName(waypoint),
  });
  if (exempt) return undefined;
  const hop = hopOfGateway(store, call, waypoint, 'waypoint');
  if (hop.kind !== 'hop') return hop;
  if (hop.workload.network !== call.source.network)
    return refuse('waypoint-on-other-network', `waypoint ${gatewayName(waypoint)} of ${workload.uid}`);
  return viaWaypoint(call, hop, 'workload-waypoint', workload, service);
}

function viaWaypoint(
  call: RouteCall,
  hop: NextHop,
  via: HboneRoute['via'],
  upstream: Workload | undefined,
  service: Service | undefined,
): HboneRoute | RefusedRoute {
  if (!isDiallable(hop)) return refuse('workload-without-address', `waypoint ${hop.workload.uid}`);
  return {
    kind: 'hbone',
    via,
    gateway: hop.workload,
    dial: { ip: hop.ip ?? '', port: hop.port },
    hostnameToResolve: hop.ip === undefined ? hop.workload.hostname : undefined,
    // What the application dialled: the waypoint chooses the endpoint.
    authority: formatHostPort(call.destination.ip, call.destination.port),
    expectedIdentities: identitiesOf(hop),
    upstream,
    service,
  };
}

/**
 * A VIP before a workload address, the reverse of the lookup for waypoints, and in the pod's network instead of the proxy's, as
 * Istio's ztunnel has it. A service that was the target stays it: it must never turn into a passthrough.
 */
function pickUpstream(store: MeshStore, call: RouteCall, target: KnownService | undefined): NextHop | Route {
  const { source, destination } = call;
  const service =
    (target === undefined || call.network !== source.network
      ? store.serviceByAddress(source.network, destination.ip, source.namespace)
      : undefined) ?? target;
  if (service !== undefined) {
    if (service.service.loadBalancing?.mode === 'PASSTHROUGH')
      return { kind: 'passthrough', destination, service: service.service };
    return hopOfService(call, service, destination.port, 'service', destination.ip);
  }
  const workload = store.workloadByAddress(source.network, destination.ip);
  if (workload !== undefined) return hopOfWorkload(workload, destination.port, destination.ip);
  return { kind: 'passthrough', destination, service: undefined };
}

/** `target` was picked on another network; `service` is what the application called. */
function throughGateway(
  store: MeshStore,
  call: RouteCall,
  target: NextHop,
  service: Service | undefined,
): Route {
  const { workload } = target;
  const gateway = workload.networkGateway;
  call.trace?.({
    kind: 'network',
    source: call.source.network,
    destination: workload.network,
    gateway: gateway === undefined ? '' : gatewayName(gateway),
  });
  if (service === undefined)
    return refuse('remote-without-service', `${workload.uid} on network ${workload.network}`);
  if (gateway === undefined)
    return refuse('gateway-missing', `${workload.uid} on network ${workload.network}`);
  const hop = hopOfGateway(store, call, gateway, 'gateway');
  if (hop.kind !== 'hop') return hop;
  if (!isDiallable(hop)) return refuse('workload-without-address', `gateway ${hop.workload.uid}`);
  // Only the service vouches for who is behind the gateway: the workload may be a stand-in without an identity.
  const innerIdentities = target.service?.subjectAltNames ?? [];
  if (innerIdentities.length === 0)
    return refuse('remote-without-identities', `${workload.uid} on network ${workload.network}`);
  const authority = `${service.hostname}:${call.destination.port}`;
  return {
    kind: 'double-hbone',
    gateway: hop.workload,
    dial: { ip: hop.ip ?? '', port: hop.port },
    hostnameToResolve: hop.ip === undefined ? hop.workload.hostname : undefined,
    authority,
    expectedIdentities: identitiesOf(hop),
    inner: { authority, expectedIdentities: innerIdentities },
    upstream: workload,
    service,
  };
}

function toWorkload(hop: NextHop, service: Service | undefined): HboneRoute | DirectRoute | RefusedRoute {
  const { workload, ip, port } = hop;
  if (!isDiallable(hop)) return refuse('workload-without-address', workload.uid);
  const hostnameToResolve = ip === undefined ? workload.hostname : undefined;
  if (workload.tunnelProtocol === 'NONE')
    return { kind: 'direct', dial: { ip: ip ?? '', port }, hostnameToResolve, upstream: workload, service };
  return {
    kind: 'hbone',
    via: 'direct',
    gateway: undefined,
    dial: { ip: ip ?? '', port: HBONE_PORT },
    hostnameToResolve,
    authority: ip === undefined ? `${workload.hostname}:${port}` : formatHostPort(ip, port),
    expectedIdentities: identitiesOf(hop),
    upstream: workload,
    service,
  };
}

function isDiallable(hop: NextHop): boolean {
  return hop.ip !== undefined || hop.workload.hostname !== '';
}

function identitiesOf(hop: NextHop): readonly string[] {
  const own = workloadIdentity(hop.workload);
  const names = hop.service?.subjectAltNames;
  return names === undefined || names.length === 0 ? [own] : [own, ...names];
}

/** Whether the caller, by identity and address, is an endpoint of the waypoint. */
function isCallerOf(store: MeshStore, call: RouteCall, { destination }: GatewayAddress): boolean {
  const found =
    destination.kind === 'hostname'
      ? store.findHostname(destination.namespace, destination.hostname)
      : store.findAddress(destination.address.network, destination.address.ip, call.source.namespace);
  if (found === undefined) return false;
  if (found.kind === 'workload') return isCaller(call, found.workload);
  for (const workload of found.service.workloads) if (isCaller(call, workload)) return true;
  return false;
}

function isCaller({ source, sourceIp }: RouteCall, workload: Workload): boolean {
  return samePrincipal(workload, source) && workload.addresses.includes(sourceIp);
}
