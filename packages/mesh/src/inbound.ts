import { canonicalIp, formatHostPort, isIpv6 } from './ip.ts';
import { inboundRefusals, routeRefusals } from './refusals.ts';
import type { InboundRefusal } from './refusals.ts';
import type { RefusedRoute, SocketAddress } from './route.ts';
import { servicePort, targetPort } from './service-endpoints.ts';
import type { KnownService } from './service-endpoints.ts';
import type { MeshStore } from './store.ts';
import type { NetworkAddress, Service, Workload } from './types.ts';

/** What a CONNECT request asks for. */
export type Authority =
  | { readonly kind: 'address'; readonly ip: string; readonly port: number }
  | { readonly kind: 'hostname'; readonly hostname: string; readonly port: number };

/** A CONNECT request as the tunnel server got it. */
export interface InboundRequest {
  /** The workload that this listener serves. */
  readonly localWorkload: Workload;
  /** Network of this proxy (the setting NETWORK). */
  readonly network: string;
  /** The address that the tunnel connection came in on: the pod's own. Canonical text. */
  readonly connectionDestinationIp: string;
  /** Text of the `:authority`. */
  readonly authority: string;
  /** Ports on which the proxy itself listens in the pod. */
  readonly selfPorts: readonly number[];
}

/** Where a tunnel request leads inside the pod. */
export interface InboundTarget {
  readonly kind: 'deliver';
  /** Where the application is dialled, and what policies are matched against: always the pod's own address. */
  readonly destination: SocketAddress;
  /**
   * Set if the application takes PROXY protocol: the destination to write into the header. Then it may be dialled on
   * loopback (the setting LOCALHOST_APP_TUNNEL).
   */
  readonly proxyProtocolDestination: SocketAddress | undefined;
  readonly authority: Authority;
  /** Services that the request can be for: the one that was named, else all those of the workload. */
  readonly services: readonly KnownService[];
}

/** A tunnel request that leads nowhere. */
export interface InboundRefused {
  readonly kind: 'refused';
  readonly reason: InboundRefusal;
  /** HTTP status for the peer. */
  readonly code: 400 | 503;
  /** What failed, with names, and the operator's likely remedy. */
  readonly message: string;
}

/** Decides where a tunnel request goes inside the pod, before authorization. */
export function resolveInbound(store: MeshStore, request: InboundRequest): InboundTarget | InboundRefused {
  const { localWorkload, connectionDestinationIp: ip, selfPorts } = request;
  const authority = parseAuthority(request.authority);
  if (authority === undefined) return refuse('authority-invalid', JSON.stringify(request.authority));
  if (authority.kind === 'address' && !isExpectedAddress(store, request, authority.ip))
    return refuse('authority-address-mismatch', `${request.authority} on a connection to ${ip}`);

  let services: readonly KnownService[];
  let port = authority.port;
  if (authority.kind === 'hostname') {
    const service = store.serviceByHostname(authority.hostname, localWorkload.namespace);
    if (service === undefined) return refuse('hostname-unknown', request.authority);
    services = [service];
    port = portOfService(service, localWorkload, authority.port);
    if (port === 0) return refuse('target-port-unknown', request.authority);
  } else {
    services = store.servicesOf(localWorkload);
  }
  // Before the application tunnel replaces the port: its port may well be one that users must not call.
  if (selfPorts.includes(port)) return refuse('proxy-port', `${request.authority}, port ${port}`);

  const tunnel = localWorkload.applicationTunnel;
  let proxyProtocolDestination: SocketAddress | undefined;
  if (tunnel?.protocol === 'PROXY') {
    proxyProtocolDestination = proxyDestination(authority, services, request.network);
    if (proxyProtocolDestination === undefined) return refuse('no-vip-for-proxy-protocol', request.authority);
  }
  if (tunnel !== undefined && tunnel.port !== 0) port = tunnel.port;
  return { kind: 'deliver', destination: { ip, port }, proxyProtocolDestination, authority, services };
}

/** Refuses a plaintext connection that was redirected to the proxy and leads back to it; undefined if it may go on. */
export function refusePlaintextInbound(
  destination: SocketAddress,
  selfPorts: readonly number[],
): RefusedRoute | undefined {
  if (!selfPorts.includes(destination.port)) return undefined;
  const { meaning, remedy } = routeRefusals['self-call'];
  const what = formatHostPort(destination.ip, destination.port);
  return { kind: 'refused', reason: 'self-call', message: `${what}: ${meaning}; ${remedy}` };
}

/**
 * The service that an inbound connection was most likely for, for telemetry only: the one whose hostname the client forwarded,
 * else the first of `services` with a port that leads to `port`.
 */
export function guessInboundService(
  services: readonly KnownService[],
  workload: Workload,
  port: number,
  forwardedHost: string | undefined,
): Service | undefined {
  for (const { service } of services) if (service.hostname === forwardedHost) return service;
  for (const { key, service } of services) {
    for (const mapping of service.ports) {
      if (targetPort(key, service, workload, mapping.servicePort, 'service') === port) return service;
    }
  }
  return undefined;
}

/**
 * Parses `address:port`, `[address]:port` or `hostname:port` (RFC 9110 section 9.3.6). The port is required, 1..65535. IPv6
 * without brackets is refused: its last group cannot be told from a port.
 */
export function parseAuthority(text: string): Authority | undefined {
  const colon = text.lastIndexOf(':');
  if (colon <= 0) return undefined;
  const port = parsePort(text, colon + 1);
  if (port === 0) return undefined;
  if (text.charCodeAt(0) === 91) {
    if (text.charCodeAt(colon - 1) !== 93) return undefined;
    const inner = text.slice(1, colon - 1);
    const ip = isIpv6(inner) ? canonicalIp(inner) : undefined;
    return ip === undefined ? undefined : { kind: 'address', ip, port };
  }
  const host = text.slice(0, colon);
  const ip = isIpv6(host) ? undefined : canonicalIp(host);
  if (ip !== undefined) return { kind: 'address', ip, port };
  return isHostname(host) ? { kind: 'hostname', hostname: host, port } : undefined;
}

function parsePort(text: string, start: number): number {
  if (start === text.length || text.length - start > 5) return 0;
  let port = 0;
  for (let i = start; i < text.length; i++) {
    const digit = text.charCodeAt(i) - 48;
    if (digit < 0 || digit > 9) return 0;
    port = port * 10 + digit;
  }
  return port > 65535 ? 0 : port;
}

/** Letters, digits, `-`, `_` and dots, not all digits and dots: that would be a malformed IPv4 address. */
function isHostname(text: string): boolean {
  if (text.length > 253) return false;
  let letters = 0;
  for (let i = 0; i < text.length; i++) {
    const code = text.charCodeAt(i);
    const lower = code | 32;
    if ((lower >= 97 && lower <= 122) || code === 45 || code === 95) letters++;
    else if (code !== 46 && (code < 48 || code > 57)) return false;
  }
  return letters > 0;
}

/**
 * A request names the pod's own address. Excused are an application that speaks a tunnel protocol, which learns the address
 * from it and decides itself, and a waypoint that terminates for what it guards: it need not know the address at all.
 */
function isExpectedAddress(store: MeshStore, request: InboundRequest, ip: string): boolean {
  const { localWorkload, connectionDestinationIp, network } = request;
  if (ip === connectionDestinationIp || localWorkload.applicationTunnel !== undefined) return true;
  const target = store.findAddress(network, ip, localWorkload.namespace);
  if (target === undefined) return false;
  const waypoint = target.kind === 'service' ? target.service.service.waypoint : target.workload.waypoint;
  if (waypoint === undefined) return false;
  const { destination } = waypoint;
  const found =
    destination.kind === 'hostname'
      ? store.findHostname(destination.namespace, destination.hostname)
      : store.findAddress(destination.address.network, destination.address.ip, localWorkload.namespace);
  if (found === undefined) return false;
  if (found.kind === 'service') return found.service.has(localWorkload.uid);
  return found.workload.addresses.includes(connectionDestinationIp);
}

function portOfService({ key, service }: KnownService, workload: Workload, port: number): number {
  for (const mapping of workload.services[key] ?? []) {
    if (mapping.servicePort === port && mapping.targetPort !== 0) return mapping.targetPort;
  }
  return servicePort(service, port) ?? 0;
}

/** PROXY protocol carries no hostname: the service's VIP stands for it, of the own network and IPv4 if there is a choice. */
function proxyDestination(
  authority: Authority,
  services: readonly KnownService[],
  network: string,
): SocketAddress | undefined {
  const port = authority.port;
  if (authority.kind === 'address') return { ip: authority.ip, port };
  let best: NetworkAddress | undefined;
  let bestRank = -1;
  for (const vip of services[0]!.service.addresses) {
    const rank = vip.network !== network ? 0 : isIpv6(vip.ip) ? 1 : 2;
    if (rank > bestRank) {
      best = vip;
      bestRank = rank;
    }
  }
  return best && { ip: best.ip, port };
}

function refuse(reason: InboundRefusal, what: string): InboundRefused {
  const { code, meaning, remedy } = inboundRefusals[reason];
  return { kind: 'refused', reason, code, message: `${what}: ${meaning}; ${remedy}` };
}
