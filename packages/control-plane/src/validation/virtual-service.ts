import { FieldReader, quote } from './field-reader.ts';
import { exportTo, host, isDnsName, isIp, isIpBlock, portNumber } from './field-values.ts';
import { httpRoute } from './http-route.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { destination, weights } from './route-destination.ts';

/** Checks of VirtualService, by the rules of Istio's API reference. */
export function validateVirtualService(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const service = new FieldReader(object, '', problems);
  const spec = service.at('spec');
  if (!spec.isObject()) return problems.all;
  const gateways = spec.at('gateways').items().map(gatewayName);
  const forMesh = gateways.length === 0 || gateways.includes('mesh');
  const isDelegate = spec.at('hosts').items().length === 0;
  if (isDelegate) delegate(spec);
  hosts(spec, forMesh);
  const http = spec.at('http').items();
  const tls = spec.at('tls').items();
  const tcp = spec.at('tcp').items();
  if (http.length + tls.length + tcp.length === 0) spec.error('one of http, tls and tcp must have a route');
  for (const route of http) httpRoute(route, { isDelegate });
  unreachable(http);
  for (const route of tls) tlsRoute(route);
  for (const route of tcp) tcpRoute(route);
  exportTo(spec.at('exportTo'), service.at('metadata').at('namespace').string() ?? '');
  return problems.all;
}

function gatewayName(field: FieldReader): string | undefined {
  const text = field.required();
  if (text === undefined || text === 'mesh') return text;
  const parts = text.split('/');
  if (parts.length > 2 || !parts.every((part) => isDnsName(part)))
    field.error(`${quote(text)} is neither "mesh" nor NAME nor NAMESPACE/NAME`);
  return text;
}

function delegate(spec: FieldReader): void {
  for (const name of ['gateways', 'tls', 'tcp'])
    if (spec.at(name).items().length > 0)
      spec.at(name).error('may not be set in a VirtualService without hosts, which others delegate to');
}

function hosts(spec: FieldReader, forMesh: boolean): void {
  const seen = new HostSet();
  for (const item of spec.at('hosts').items()) {
    const text = item.string();
    if (text !== undefined && isIp(text)) continue;
    const name = host(item, forMesh ? 'with a domain' : 'any');
    if (name === undefined) continue;
    const other = seen.add(name);
    if (other !== undefined) item.error(`${quote(name)} and ${quote(other)} stand for the same hosts`);
  }
}

/**
 * Hosts of which no two may stand for the same. Work for each is as its labels: a list may be as long as the API server
 * lets it be.
 */
class HostSet {
  readonly #names = new Set<string>();
  /** By the domain after the star; '' for every host. */
  readonly #wildcards = new Map<string, string>();
  /** By domain, the first host, wildcard or not, that stands for something below it. */
  readonly #below = new Map<string, string>();

  /** @returns a host that overlaps with this one, if there is one already */
  add(name: string): string | undefined {
    const isWildcard = name === '*' || name.startsWith('*.');
    const domains = domainsOf(isWildcard ? name.slice(2) : name);
    const [domain = ''] = domains;
    const above = isWildcard ? domains : domains.slice(1);
    const covering = above.find((each) => this.#wildcards.has(each));
    const other =
      (covering === undefined ? undefined : this.#wildcards.get(covering)) ??
      (isWildcard ? this.#below.get(domain) : undefined) ??
      (this.#names.has(name) ? name : undefined);
    for (const each of above) if (!this.#below.has(each)) this.#below.set(each, name);
    this.#names.add(name);
    if (isWildcard) this.#wildcards.set(domain, name);
    return other;
  }
}

/** `a.b.c` is in `a.b.c`, `b.c`, `c` and '', which is every host. */
function domainsOf(name: string): string[] {
  const domains = [name];
  for (let dot = name.indexOf('.'); dot >= 0; dot = name.indexOf('.', dot + 1))
    domains.push(name.slice(dot + 1));
  if (name !== '') domains.push('');
  return domains;
}

/** A route after one without a match is never reached. */
function unreachable(routes: readonly FieldReader[]): void {
  const all = routes.findIndex((route) => route.at('match').items().length === 0);
  if (all < 0) return;
  for (const route of routes.slice(all + 1))
    route.warning(`is never reached: ${routes[all]!.path} matches every request`);
}

function tlsRoute(route: FieldReader): void {
  if (!route.isObject()) return;
  const matches = route.at('match').items();
  if (matches.length === 0) route.at('match').error('must name the SNI hosts that the route is for');
  for (const match of matches) {
    if (!match.isObject()) continue;
    const names = match.at('sniHosts');
    if (names.items().length === 0) names.error('must name a host');
    for (const name of names.items()) host(name, 'any');
    connectionMatch(match);
  }
  routeDestinations(route);
}

function tcpRoute(route: FieldReader): void {
  if (!route.isObject()) return;
  for (const match of route.at('match').items()) if (match.isObject()) connectionMatch(match);
  routeDestinations(route);
}

function connectionMatch(match: FieldReader): void {
  for (const block of match.at('destinationSubnets').items()) {
    const text = block.required();
    if (text !== undefined && !isIpBlock(text))
      block.error(`${quote(text)} is neither an IP address nor a CIDR range`);
  }
  portNumber(match.at('port'));
  for (const gateway of match.at('gateways').items()) gatewayName(gateway);
}

function routeDestinations(route: FieldReader): void {
  const destinations = route.at('route').items();
  if (destinations.length === 0) route.at('route').error('must name a destination');
  for (const item of destinations) if (item.isObject()) destination(item.at('destination'));
  weights(destinations);
}
