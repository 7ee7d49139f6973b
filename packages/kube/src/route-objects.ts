// The routes of the Gateway API, and what allows them to refer to other namespaces; as the objects of objects.ts: only what is
// read is named, and nothing is checked.
import type { Condition, KubeObject } from './objects.ts';

/** What a route attaches to. Without group and kind a Gateway; with a Service it is for the clients of that inside the mesh. */
export interface ParentReference {
  readonly group?: string;
  readonly kind?: string;
  /** Absent: the route's own. */
  readonly namespace?: string;
  readonly name: string;
  /** A listener of a Gateway, a port of a Service by its name. */
  readonly sectionName?: string;
  readonly port?: number;
}

/** Where a route sends to. Without group and kind a Service. */
export interface BackendReference {
  readonly group?: string;
  readonly kind?: string;
  /** Absent: the route's own. */
  readonly namespace?: string;
  readonly name?: string;
  readonly port?: number;
  readonly filters?: readonly RouteFilter[];
}

/** The parts of a filter that refer to a backend. */
export interface RouteFilter {
  readonly type?: string;
  readonly requestMirror?: { readonly backendRef?: BackendReference };
  readonly externalAuth?: { readonly backendRef?: BackendReference };
}

export interface RouteRule {
  readonly backendRefs?: readonly BackendReference[];
  readonly filters?: readonly RouteFilter[];
}

export interface RouteSpec {
  readonly parentRefs?: readonly ParentReference[];
  readonly rules?: readonly RouteRule[];
}

/** What one controller says of a route at one parent. */
export interface RouteParentStatus {
  readonly parentRef: ParentReference;
  readonly controllerName: string;
  readonly conditions: readonly Condition[];
}

export interface RouteStatus {
  /** One list of all controllers, which the API replaces as a whole; 32 at most. */
  readonly parents?: readonly RouteParentStatus[];
}

/** HTTPRoute, GRPCRoute, TLSRoute or TCPRoute of gateway.networking.k8s.io, by what they have in common. */
export type Route = KubeObject<RouteSpec, RouteStatus>;

export interface ReferenceGrantSpec {
  /** Who may refer; one is enough. */
  readonly from?: readonly { readonly group: string; readonly kind: string; readonly namespace: string }[];
  /** To what in the grant's own namespace; one is enough. Without a name to all of the kind. */
  readonly to?: readonly { readonly group: string; readonly kind: string; readonly name?: string }[];
}

export type ReferenceGrant = KubeObject<ReferenceGrantSpec>;
