import { parseSpiffe } from '@ambient/identity';
import {
  authorize,
  chooseRoute,
  describeRoute,
  explainVerdict,
  nextHop,
  parseAuthority,
  refusePlaintextInbound,
  resolveInbound,
  workloadIdentity,
} from '@ambient/mesh';
import type { AuthorizeStep, MeshStore, Principal, RouteStep, SocketAddress, Workload } from '@ambient/mesh';

/** What a proxy decides by. */
export interface ExplainPlace {
  readonly store: MeshStore;
  /** The setting NETWORK. */
  readonly network: string;
  readonly selfPorts: readonly number[];
  readonly random: () => number;
}

/** A question that cannot be answered, with what is wrong in it. */
export class ExplainError extends Error {
  readonly code = 'EXPLAIN';
  constructor(message: string) {
    super(message);
    this.name = 'ExplainError';
  }
}

/** What the proxy of a client does with a connection. */
export interface OutboundExplanation {
  readonly workload: string;
  readonly identity: string;
  /** The address that it calls from: of the family of the one that it dials, if it has one. */
  readonly sourceIp: string;
  readonly destination: string;
  readonly route: 'passthrough' | 'direct' | 'hbone' | 'double-hbone' | 'refused';
  readonly via?: string;
  /** The service that is called. */
  readonly service?: string;
  /** Who is dialled, and where. */
  readonly nextHop?: ExplainedWorkload;
  readonly dial?: string;
  /** Of the tunnel. */
  readonly authority?: string;
  readonly expectedIdentities?: readonly string[];
  readonly refusal?: { readonly reason: string; readonly message: string };
  readonly steps: readonly RouteStep[];
  /** The same for people; the last line is what happens. */
  readonly lines: readonly string[];
}

export interface ExplainedWorkload {
  readonly uid: string;
  readonly name: string;
  readonly namespace: string;
  readonly node: string;
  readonly identity: string;
}

/** What the proxy of a server does with it. */
export interface InboundExplanation {
  readonly workload: string;
  readonly identity: string;
  /** Undefined in plain text. */
  readonly principal?: string;
  readonly destination: string;
  readonly allowed: boolean;
  readonly policy?: string;
  readonly reason?: string;
  readonly steps: readonly AuthorizeStep[];
  readonly lines: readonly string[];
}

/**
 * Answers `from=NAMESPACE/POD&to=IP:PORT` by the data path's own choice. A service with several endpoints is drawn from as for a
 * connection, so that the next answer may be another.
 *
 * @throws ExplainError
 */
export function explainOutbound(place: ExplainPlace, query: URLSearchParams): OutboundExplanation {
  const source = workloadOf(place.store, query, 'from');
  const destination = addressOf(query, 'to');
  const steps: RouteStep[] = [];
  const sourceIp =
    source.addresses.find((ip) => ip.includes(':') === destination.ip.includes(':')) ??
    source.addresses[0] ??
    '';
  const route = chooseRoute(place.store, {
    source,
    sourceIp,
    destination,
    network: place.network,
    selfPorts: place.selfPorts,
    random: place.random,
    trace: (step) => steps.push(step),
  });
  const hop = nextHop(route);
  const service = route.kind === 'refused' ? undefined : route.service;
  return {
    workload: `${source.namespace}/${source.name}`,
    identity: workloadIdentity(source),
    sourceIp,
    destination: query.get('to')!,
    route: route.kind,
    ...(route.kind === 'hbone' ? { via: route.via } : {}),
    ...(service === undefined ? {} : { service: `${service.namespace}/${service.hostname}` }),
    ...(hop === undefined ? {} : { nextHop: describeWorkload(hop) }),
    ...('dial' in route
      ? { dial: `${route.hostnameToResolve ?? bracketed(route.dial.ip)}:${route.dial.port}` }
      : {}),
    ...('authority' in route
      ? { authority: route.authority, expectedIdentities: route.expectedIdentities }
      : {}),
    ...(route.kind === 'refused' ? { refusal: { reason: route.reason, message: route.message } } : {}),
    steps,
    lines: describeRoute(route, steps),
  };
}

/**
 * Answers `at=NAMESPACE/POD&source=IP`, and `authority=HOST:PORT&identity=SPIFFE` for a tunnel or `to=IP:PORT` for plain text, by
 * what the data path asks before it delivers.
 *
 * @throws ExplainError
 */
export function explainInbound(place: ExplainPlace, query: URLSearchParams): InboundExplanation {
  const { store, network, selfPorts } = place;
  const workload = workloadOf(store, query, 'at');
  const sourceIp = query.get('source') ?? '';
  const authority = query.get('authority');
  const base = { workload: `${workload.namespace}/${workload.name}`, identity: workloadIdentity(workload) };
  let destination: SocketAddress;
  let principal: Principal | undefined;
  if (authority === null) {
    destination = addressOf(query, 'to');
    const refusal = refusePlaintextInbound(destination, selfPorts);
    if (refusal !== undefined) return refused(base, query.get('to')!, refusal);
  } else {
    const text = query.get('identity') ?? '';
    principal = principalOf(text);
    const target = resolveInbound(store, {
      localWorkload: workload,
      network,
      connectionDestinationIp: dialledIp(workload, authority),
      authority,
      selfPorts,
    });
    if (target.kind === 'refused') return { ...refused(base, authority, target), principal: text };
    destination = target.destination;
  }
  const steps: AuthorizeStep[] = [];
  const connection = {
    principal,
    sourceIp,
    destinationIp: destination.ip,
    destinationPort: destination.port,
  };
  const verdict = authorize(store, workload, connection, (step) => steps.push(step));
  return {
    ...base,
    ...(principal === undefined ? {} : { principal: query.get('identity')! }),
    destination: `${bracketed(destination.ip)}:${destination.port}`,
    allowed: verdict.allowed,
    ...(verdict.policy === undefined ? {} : { policy: verdict.policy }),
    ...(verdict.allowed ? {} : { reason: verdict.reason }),
    steps,
    lines: explainVerdict(verdict, workload, connection, steps),
  };
}

function refused(
  base: { readonly workload: string; readonly identity: string },
  destination: string,
  { reason, message }: { readonly reason: string; readonly message: string },
): InboundExplanation {
  return {
    ...base,
    destination,
    allowed: false,
    reason,
    steps: [],
    lines: [`refused, ${reason}: ${message}`],
  };
}

/** A pod by name, wherever it is; an operator asks rarely enough to look at all of them. @throws ExplainError */
function workloadOf(store: MeshStore, query: URLSearchParams, name: string): Workload {
  const text = query.get(name) ?? '';
  for (const workload of store.allWorkloads())
    if (`${workload.namespace}/${workload.name}` === text) return workload;
  throw new ExplainError(
    `${name}=${text}: this proxy knows no such workload; give NAMESPACE/POD of one that the control plane has sent`,
  );
}

/** @throws ExplainError */
function addressOf(query: URLSearchParams, name: string): SocketAddress {
  const text = query.get(name) ?? '';
  const authority = parseAuthority(text);
  if (authority?.kind !== 'address') throw new ExplainError(`${name}=${text}: not IP:PORT or [IPv6]:PORT`);
  return { ip: authority.ip, port: authority.port };
}

/** The address that the tunnel comes in on: the one it names if it is the pod's, else the pod's first. */
function dialledIp(workload: Workload, authority: string): string {
  const parsed = parseAuthority(authority);
  if (parsed?.kind === 'address' && workload.addresses.includes(parsed.ip)) return parsed.ip;
  return workload.addresses[0] ?? '';
}

/** @throws ExplainError */
function principalOf(text: string): Principal {
  const identity = parseSpiffe(text);
  if (identity === undefined)
    throw new ExplainError(`identity=${text}: not spiffe://TRUST-DOMAIN/ns/NAMESPACE/sa/ACCOUNT`);
  return identity;
}

function describeWorkload(workload: Workload): ExplainedWorkload {
  const { uid, name, namespace, node } = workload;
  return { uid, name, namespace, node, identity: workloadIdentity(workload) };
}

function bracketed(ip: string): string {
  return ip.includes(':') ? `[${ip}]` : ip;
}
