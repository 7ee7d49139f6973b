import type { HeaderBlock } from '@ambient/http';
import { headerValue } from '@ambient/http';

/** What a client tells about a connection in its CONNECT request. */
export interface ConnectRequest {
  /** `ip:port`, `[ipv6]:port` or `hostname:port` of the destination. */
  readonly authority: string;
  /** The original client, `ip:port`. */
  readonly forwardedFor?: string | undefined;
  /** Hostname of the service that was called, where known. */
  readonly forwardedHost?: string | undefined;
  readonly baggage?: string | undefined;
  readonly traceparent?: string | undefined;
  /** The client's network, on the inner tunnel of double HBONE only. */
  readonly network?: string | undefined;
}

/** Header block of a CONNECT request (RFC 9113, section 8.5: `:method` and `:authority`, and nothing else with a colon). */
export function encodeConnect(request: ConnectRequest): HeaderBlock {
  const headers = [':method', 'CONNECT', ':authority', request.authority];
  if (request.forwardedFor !== undefined) headers.push('forwarded', encodeForwarded(request));
  if (request.baggage !== undefined && request.baggage !== '') headers.push('baggage', request.baggage);
  if (request.traceparent !== undefined) headers.push('traceparent', request.traceparent);
  if (request.network !== undefined) headers.push('x-forwarded-network', request.network);
  return headers;
}

function encodeForwarded(request: ConnectRequest): string {
  const source = `for="${request.forwardedFor!}"`; // quoted, since it holds a colon: RFC 7239, section 4
  return request.forwardedHost === undefined ? source : `${source};host=${request.forwardedHost}`;
}

/** The request that a server received; undefined when it is no CONNECT. */
export function decodeConnect(headers: HeaderBlock): ConnectRequest | undefined {
  if (headerValue(headers, ':method') !== 'CONNECT') return undefined;
  const forwarded = headerValue(headers, 'forwarded');
  const traceparent = headerValue(headers, 'traceparent');
  return {
    authority: headerValue(headers, ':authority') ?? '',
    forwardedFor: forwarded === undefined ? undefined : forwardedParameter(forwarded, 'for'),
    forwardedHost: forwarded === undefined ? undefined : forwardedParameter(forwarded, 'host'),
    baggage: headerValue(headers, 'baggage'),
    traceparent: traceparent?.length === TRACEPARENT_LENGTH ? traceparent : undefined,
    network: headerValue(headers, 'x-forwarded-network'),
  };
}

/** Length of the only version there is: W3C Trace Context, section 3.2. */
const TRACEPARENT_LENGTH = 55;

const BACKSLASH = 0x5c;
const QUOTE = 0x22;
const SEMICOLON = 0x3b;
const COMMA = 0x2c;

/** First value of `name` in a Forwarded header (RFC 7239, section 4), without quotes. */
function forwardedParameter(header: string, name: string): string | undefined {
  for (let start = 0; start < header.length;) {
    const end = endOfPair(header, start);
    const equals = header.indexOf('=', start);
    if (equals >= 0 && equals < end && header.slice(start, equals).trim().toLowerCase() === name)
      return unquoted(header.slice(equals + 1, end).trim());
    start = end + 1;
  }
  return undefined;
}

/** Where the pair that begins at `start` ends: at a separator that is not within quotes, which would be part of a value. */
function endOfPair(header: string, start: number): number {
  let quoted = false;
  for (let at = start; at < header.length; at++) {
    const code = header.charCodeAt(at);
    if (code === QUOTE) quoted = !quoted;
    else if (quoted && code === BACKSLASH) at++;
    else if (!quoted && (code === SEMICOLON || code === COMMA)) return at;
  }
  return header.length;
}

function unquoted(value: string): string {
  if (value.length < 2 || !value.startsWith('"') || !value.endsWith('"')) return value;
  const inner = value.slice(1, -1);
  return inner.includes('\\') ? inner.replace(/\\(.)/g, '$1') : inner;
}

/** A new trace with one span: `00-<32 hex>-<16 hex>-00`, from the 24 random bytes at `at`. */
export function traceparentOf(random: Buffer, at = 0): string {
  const hex = random.toString('hex', at, at + 24);
  return `00-${hex.slice(0, 32)}-${hex.slice(32)}-00`;
}

/** Facts about a workload that travel with its connections, for the peer's telemetry. */
export interface WorkloadFacts {
  readonly cluster: string;
  readonly namespace: string;
  readonly workloadType: string;
  readonly workloadName: string;
  readonly serviceName: string;
  readonly serviceVersion: string;
  readonly region: string;
  readonly zone: string;
}

const baggageKeys: readonly [string, keyof WorkloadFacts][] = [
  ['k8s.cluster.name', 'cluster'],
  ['k8s.namespace.name', 'namespace'],
  ['service.name', 'serviceName'],
  ['service.version', 'serviceVersion'],
  ['cloud.region', 'region'],
  ['cloud.availability_zone', 'zone'],
];

const workloadTypes = ['deployment', 'cronjob', 'pod', 'job'];

/** `baggage` of a workload: comma-separated, empty facts left out. */
export function encodeBaggage(facts: WorkloadFacts): string {
  const type = facts.workloadType.toLowerCase();
  const members = [
    ['k8s.cluster.name', facts.cluster],
    ['k8s.namespace.name', facts.namespace],
    [`k8s.${type}.name`, facts.workloadName],
    ['service.name', facts.serviceName],
    ['service.version', facts.serviceVersion],
    ['cloud.region', facts.region],
    ['cloud.availability_zone', facts.zone],
  ];
  return members
    .filter(([, value]) => value !== '')
    .map(([key, value]) => `${key}=${value}`)
    .join(',');
}

/** What a peer says about itself in `baggage`; unknown members are skipped, absent ones are ''. */
export function decodeBaggage(baggage: string): WorkloadFacts {
  const facts = {
    cluster: '',
    namespace: '',
    workloadType: '',
    workloadName: '',
    serviceName: '',
    serviceVersion: '',
    region: '',
    zone: '',
  };
  for (const member of baggage.split(',')) {
    const equals = member.indexOf('=');
    if (equals < 0) continue;
    const key = member.slice(0, equals).trim();
    const value = member.slice(equals + 1).trim();
    const known = baggageKeys.find(([name]) => name === key);
    if (known !== undefined) facts[known[1]] = value;
    const type = workloadTypes.find((name) => key === `k8s.${name}.name`);
    if (type !== undefined) {
      facts.workloadType = type;
      facts.workloadName = value;
    }
  }
  return facts;
}
