import { isIpv6 } from './ip.ts';
import { routeRefusals } from './refusals.ts';
import type { RouteRefusal } from './refusals.ts';
import type { RefusedRoute, RouteStep, SocketAddress } from './route.ts';
import { pickEndpoint, servicePort } from './service-endpoints.ts';
import type { EndpointSelection, KnownService, PortLookup } from './service-endpoints.ts';
import type { MeshStore } from './store.ts';
import type { GatewayAddress, IpFamilies, Service, Workload } from './types.ts';

/** One connection of a pod, as the outbound side accepted it. */
export interface RouteCall {
  /** The pod's own workload. */
  readonly source: Workload;
  /** The address that it called from. */
  readonly sourceIp: string;
  /** Where it wanted to go, v4-mapped addresses unmapped. */
  readonly destination: SocketAddress;
  /** Network of this proxy (the setting NETWORK). */
  readonly network: string;
  /** Ports on which the proxy itself listens in the pod. */
  readonly selfPorts: readonly number[];
  /** Uniform in [0, 1). */
  readonly random: () => number;
  readonly trace?: ((step: RouteStep) => void) | undefined;
}

/** A workload that was picked, with what is needed to connect to it. */
export interface NextHop {
  readonly kind: 'hop';
  readonly workload: Workload;
  /** Target port. */
  readonly port: number;
  /** The service by which it was picked. */
  readonly service: Service | undefined;
  /** Undefined if it has a hostname only, or can only be reached by its gateway. */
  readonly ip: string | undefined;
}

/** What the refusals of a lookup are called, by what was looked up. */
export type HopRole = 'service' | 'waypoint' | 'gateway';

/** @param what was looked up, with its names; stands before the meaning and the remedy */
export function refuse(reason: RouteRefusal, what: string): RefusedRoute {
  const { meaning, remedy } = routeRefusals[reason];
  return { kind: 'refused', reason, message: `${what}: ${meaning}; ${remedy}` };
}

/** Draws an endpoint of a service for a call to `port`. */
export function hopOfService(
  call: RouteCall,
  entry: KnownService,
  port: number,
  role: HopRole,
  dialledIp: string,
): NextHop | RefusedRoute {
  const lookup: PortLookup = role === 'waypoint' ? 'waypoint' : 'service';
  const selection = entry.select(call.source, port, lookup);
  const at = pickEndpoint(selection, call.random);
  call.trace?.({
    kind: 'endpoints',
    service: entry.key,
    port,
    candidates: selection.workloads.length,
    census: selection.census,
    chosen: at < 0 ? '' : selection.workloads[at]!.uid,
  });
  if (at < 0) return refuseEndpoints(entry, port, role, selection);
  const workload = selection.workloads[at]!;
  const service = entry.service;
  const ip = chooseAddress(workload, dialledIp, service.ipFamilies);
  return { kind: 'hop', workload, port: selection.ports[at]!, service, ip };
}

/** Resolves a waypoint or an east-west gateway that a resource names. Never falls back to going without it. */
export function hopOfGateway(
  store: MeshStore,
  call: RouteCall,
  gateway: GatewayAddress,
  role: 'waypoint' | 'gateway',
): NextHop | RefusedRoute {
  const { destination, hboneMtlsPort: port } = gateway;
  if (destination.kind === 'hostname') {
    const found = store.findHostname(destination.namespace, destination.hostname);
    if (found?.kind === 'service') return hopOfService(call, found.service, port, role, call.destination.ip);
    if (found?.kind === 'workload')
      return hopOfGatewayWorkload(found.workload, gateway, role, call.destination.ip);
  } else {
    const { network, ip } = destination.address;
    const service = store.serviceByAddress(network, ip, call.source.namespace);
    // A service that must not be touched cannot be a way through.
    if (service !== undefined && service.service.loadBalancing?.mode !== 'PASSTHROUGH')
      return hopOfService(call, service, port, role, ip);
    const workload = service === undefined ? store.workloadByAddress(network, ip) : undefined;
    if (workload !== undefined) return hopOfGatewayWorkload(workload, gateway, role, ip);
  }
  return refuse(
    role === 'waypoint' ? 'waypoint-unknown' : 'gateway-unknown',
    `${role} ${gatewayName(gateway)}`,
  );
}

/** A service has its own ports; a workload has only the one that the resource names, and it may name none. */
function hopOfGatewayWorkload(
  workload: Workload,
  gateway: GatewayAddress,
  role: 'waypoint' | 'gateway',
  dialledIp: string,
): NextHop | RefusedRoute {
  if (gateway.hboneMtlsPort !== 0) return hopOfWorkload(workload, gateway.hboneMtlsPort, dialledIp);
  return refuse(
    role === 'waypoint' ? 'waypoint-without-endpoint' : 'gateway-without-endpoint',
    `${role} ${gatewayName(gateway)}`,
  );
}

/** To the workload itself, not by a service, at the address that was dialled if it is one of its own. */
export function hopOfWorkload(workload: Workload, port: number, dialledIp: string): NextHop {
  return {
    kind: 'hop',
    workload,
    port,
    service: undefined,
    ip: chooseAddress(workload, dialledIp, 'AUTOMATIC'),
  };
}

/**
 * Address of a workload to dial: the one that was dialled if it is the workload's, else among those that the service's
 * families admit the first of the dialled family, else the first.
 */
function chooseAddress(workload: Workload, dialledIp: string, families: IpFamilies): string | undefined {
  const addresses = workload.addresses;
  if (addresses.includes(dialledIp)) return dialledIp;
  const wantIpv6 = isIpv6(dialledIp);
  let first: string | undefined;
  for (const ip of addresses) {
    const ipv6 = isIpv6(ip);
    if (ipv6 ? families === 'IPV4_ONLY' : families === 'IPV6_ONLY') continue;
    if (ipv6 === wantIpv6) return ip;
    first ??= ip;
  }
  return first;
}

/** A gateway as resources name it. */
export function gatewayName({ destination, hboneMtlsPort }: GatewayAddress): string {
  const name =
    destination.kind === 'hostname'
      ? `${destination.namespace}/${destination.hostname}`
      : `${destination.address.network}/${destination.address.ip}`;
  return `${name} port ${hboneMtlsPort}`;
}

function refuseEndpoints(
  entry: KnownService,
  port: number,
  role: HopRole,
  selection: EndpointSelection,
): RefusedRoute {
  const { total, unhealthy, unreachable, withoutPort, outsideLocality } = selection.census;
  const counts = [
    `${total} endpoints`,
    `${unhealthy} not ready`,
    `${withoutPort} without the port`,
    `${outsideLocality} out of scope`,
    `${unreachable} without a way to them`,
  ];
  const what = `${entry.key} port ${port} (${counts.join(', ')})`;
  if (role === 'waypoint') return refuse('waypoint-without-endpoint', what);
  if (role === 'gateway') return refuse('gateway-without-endpoint', what);
  return refuse(endpointRefusal(entry, port, selection), what);
}

function endpointRefusal(
  entry: KnownService,
  port: number,
  { workloads, census }: EndpointSelection,
): RouteRefusal {
  if (servicePort(entry.service, port) === undefined) return 'service-port-unknown';
  if (census.total === 0) return 'service-without-endpoints';
  // From the endpoint that came furthest through the checks.
  if (workloads.length > 0) return 'no-endpoint-capacity';
  if (census.outsideLocality > 0) return 'no-endpoint-in-scope';
  if (census.withoutPort > 0) return 'endpoint-port-unknown';
  return census.unreachable > 0 ? 'endpoint-unreachable' : 'no-healthy-endpoint';
}
