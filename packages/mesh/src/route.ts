import { formatHostPort } from './ip.ts';
import type { RouteRefusal } from './refusals.ts';
import type { EndpointCensus } from './service-endpoints.ts';
import type { Service, Workload } from './types.ts';

/** Port on which every mesh workload takes HBONE. */
export const HBONE_PORT = 15008;

/** An end of a TCP connection. */
export interface SocketAddress {
  /** Canonical text. */
  readonly ip: string;
  readonly port: number;
}

/** What the outbound side does with one connection. */
export type Route = PassthroughRoute | DirectRoute | HboneRoute | DoubleHboneRoute | RefusedRoute;

/** Plain TCP to where the application wanted: the mesh does not know the destination, or is told not to touch it. */
export interface PassthroughRoute {
  readonly kind: 'passthrough';
  readonly destination: SocketAddress;
  /** A service in PASSTHROUGH mode, else undefined. */
  readonly service: Service | undefined;
}

interface DialledRoute {
  /** Where to connect. Its `ip` is '' while `hostnameToResolve` is set: see {@link withResolvedAddress}. */
  readonly dial: SocketAddress;
  /** Set if the next hop has a DNS name only. Prefer an address of the family that the application dialled. */
  readonly hostnameToResolve: string | undefined;
  /** The service that the application called, also behind a waypoint or gateway; undefined if it called a pod. */
  readonly service: Service | undefined;
}

/** Plain TCP to a workload that takes no HBONE. */
export interface DirectRoute extends DialledRoute {
  readonly kind: 'direct';
  readonly upstream: Workload;
}

/** One HBONE tunnel. */
export interface HboneRoute extends DialledRoute {
  readonly kind: 'hbone';
  readonly via: 'direct' | 'service-waypoint' | 'workload-waypoint';
  /** The waypoint, unless direct. */
  readonly gateway: Workload | undefined;
  /** The workload that the application reaches; undefined behind a service waypoint, which picks it. */
  readonly upstream: Workload | undefined;
  readonly authority: string;
  /** SPIFFE URIs of which the server must present one: the dialled workload's own, then its service's. */
  readonly expectedIdentities: readonly string[];
}

/** An HBONE tunnel inside an HBONE tunnel to the gateway of another network. */
export interface DoubleHboneRoute extends DialledRoute {
  readonly kind: 'double-hbone';
  readonly gateway: Workload;
  /** Endpoint, or waypoint, on the other network whose service vouches for the inner identities. */
  readonly upstream: Workload;
  readonly service: Service;
  /** Of the outer tunnel. */
  readonly authority: string;
  /** Of the outer tunnel: the gateway's. */
  readonly expectedIdentities: readonly string[];
  readonly inner: { readonly authority: string; readonly expectedIdentities: readonly string[] };
}

/** The connection cannot be carried, and is not passed through either: that would be the way past the mesh. */
export interface RefusedRoute {
  readonly kind: 'refused';
  readonly reason: RouteRefusal;
  /** What failed, with names, and the operator's likely remedy. */
  readonly message: string;
}

/** A decision on the way to a route, for explanations. */
export type RouteStep =
  | {
      readonly kind: 'destination';
      readonly network: string;
      readonly address: SocketAddress;
      readonly found: 'workload' | 'service' | 'nothing';
      /** Workload uid or service key, '' if nothing was found. */
      readonly key: string;
    }
  | {
      readonly kind: 'waypoint';
      readonly of: 'service' | 'workload';
      readonly key: string;
      /** The caller is the waypoint itself, so its traffic goes straight on. */
      readonly outcome: 'used' | 'caller-is-the-waypoint';
      readonly waypoint: string;
    }
  | {
      readonly kind: 'endpoints';
      readonly service: string;
      readonly port: number;
      readonly candidates: number;
      readonly census: EndpointCensus;
      /** Uid of the endpoint drawn, '' if none could be. */
      readonly chosen: string;
    }
  | {
      readonly kind: 'network';
      readonly source: string;
      readonly destination: string;
      readonly gateway: string;
    };

/** The workload on the other end of the connection that is dialled; undefined for passthrough and refusals. */
export function nextHop(route: Route): Workload | undefined {
  switch (route.kind) {
    case 'direct':
      return route.upstream;
    case 'hbone':
      return route.gateway ?? route.upstream;
    case 'double-hbone':
      return route.gateway;
    case 'passthrough':
    case 'refused':
      return undefined;
  }
}

/** The route once `hostnameToResolve` has become an address. */
export function withResolvedAddress<R extends DirectRoute | HboneRoute | DoubleHboneRoute>(
  route: R,
  ip: string,
): R {
  const resolved = { ...route, dial: { ip, port: route.dial.port }, hostnameToResolve: undefined };
  if (resolved.kind !== 'hbone' || resolved.via !== 'direct') return resolved;
  const port = Number(resolved.authority.slice(resolved.authority.lastIndexOf(':') + 1));
  return { ...resolved, authority: formatHostPort(ip, port) };
}
