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
  const seen: string[] = [];
  for (const item of spec.at('hosts').items()) {
    const text = item.string();
    if (text !== undefined && isIp(text)) continue;
    const name = host(item, forMesh ? 'with a domain' : 'any');
    if (name === undefined) continue;
    const other = seen.find((before) => overlaps(before, name));
    if (other !== undefined) item.error(`${quote(name)} and ${quote(other)} stand for the same hosts`);
    seen.push(name);
  }
}

/** Whether two hosts, wildcards or not, have one in common. */
function overlaps(a: string, b: string): boolean {
  const covers = (wide: string, narrow: string) =>
    wide.startsWith('*') && narrow.endsWith(wide.slice(1)) && narrow.length >= wide.length;
  return a === b || covers(a, b) || covers(b, a);
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
