import { FieldReader, quote } from './field-reader.ts';
import { exportTo, host, isDnsName, isIp, isIpBlock, portNumber } from './field-values.ts';
import type { FieldProblem } from './problem.ts';
import { ProblemList } from './problem.ts';
import { selectorLabel } from './selectors.ts';
import { workload } from './workload-entry.ts';

const resolutions = ['NONE', 'STATIC', 'DNS', 'DNS_ROUND_ROBIN', 'DYNAMIC_DNS'] as const;
type Resolution = (typeof resolutions)[number];

/** Names of protocols that a port may have; upper or lower case. */
export const protocols: readonly string[] = [
  'GRPC',
  'GRPC-WEB',
  'HTTP',
  'HTTP2',
  'HTTPS',
  'HTTP-PROXY',
  'TCP',
  'TLS',
  'UDP',
  'MONGO',
  'REDIS',
  'MYSQL',
  'HBONE',
  'DOUBLE-HBONE',
];

/** Checks of ServiceEntry, by the rules of Istio's API reference. */
export function validateServiceEntry(object: unknown): readonly FieldProblem[] {
  const problems = new ProblemList();
  const entry = new FieldReader(object, '', problems);
  const spec = entry.at('spec');
  if (!spec.isObject()) return problems.all;
  const resolution = spec.at('resolution').oneOf(resolutions) ?? 'NONE';
  spec.at('location').oneOf(['MESH_EXTERNAL', 'MESH_INTERNAL'] as const);
  hosts(spec, resolution);
  const hasCidr = addresses(spec.at('addresses'));
  ports(spec.at('ports'));
  endpoints(spec, resolution);
  workloadSelector(spec);
  if (hasCidr && resolution !== 'NONE' && resolution !== 'STATIC')
    spec.at('addresses').error(`a CIDR range is for resolution NONE or STATIC, not for ${resolution}`);
  exportTo(spec.at('exportTo'), entry.at('metadata').at('namespace').string() ?? '');
  for (const name of spec.at('subjectAltNames').items()) name.required();
  return problems.all;
}

function hosts(spec: FieldReader, resolution: Resolution): void {
  const list = spec.at('hosts');
  const items = list.items();
  if (items.length === 0) list.error('must name a host');
  const seen = new Set<string>();
  for (const item of items) {
    const text = host(item, 'with a domain');
    if (text === undefined) continue;
    if (seen.has(text)) item.error(`${quote(text)} stands there twice`);
    seen.add(text);
    const noEndpoints = spec.at('endpoints').items().length === 0 && !spec.at('workloadSelector').present;
    if (text.startsWith('*') && noEndpoints && (resolution === 'DNS' || resolution === 'DNS_ROUND_ROBIN'))
      item.warning(
        'a wildcard host has no address in DNS: use resolution DYNAMIC_DNS or NONE, or name endpoints',
      );
    if (!text.includes('.')) item.warning('is no full name: callers have to use it as it stands');
  }
}

/** @returns whether one of them is a range */
function addresses(list: FieldReader): boolean {
  let hasCidr = false;
  for (const item of list.items()) {
    const text = item.required();
    if (text === undefined) continue;
    if (!isIpBlock(text)) item.error(`${quote(text)} is neither an IP address nor a CIDR range`);
    hasCidr ||= text.includes('/');
  }
  return hasCidr;
}

function ports(list: FieldReader): void {
  const names = new Set<string>();
  const numbers = new Set<number>();
  for (const port of list.items()) {
    if (!port.isObject()) continue;
    const number = port.at('number');
    if (!number.present) number.error('must be set');
    const value = portNumber(number);
    if (value !== undefined && numbers.has(value)) number.error(`port ${value} stands there twice`);
    if (value !== undefined) numbers.add(value);
    const name = port.at('name').required();
    if (name !== undefined) {
      if (names.has(name)) port.at('name').error(`the name ${quote(name)} stands there twice`);
      names.add(name);
      if (!isDnsName(name) || name.includes('.')) port.at('name').error(`${quote(name)} is no DNS label`);
    }
    protocol(port.at('protocol'));
    portNumber(port.at('targetPort'));
  }
}

/** A protocol by name, in any case; absent lets the port's name tell. */
export function protocol(field: FieldReader): void {
  const text = field.string();
  if (text !== undefined && text !== '' && !protocols.includes(text.toUpperCase()))
    field.error(`${quote(text)} is no protocol: use one of ${protocols.join(', ')}`);
}

function endpoints(spec: FieldReader, resolution: Resolution): void {
  const list = spec.at('endpoints');
  const items = list.items();
  if (items.length > 0 && spec.at('workloadSelector').present)
    spec.error('only one of workloadSelector and endpoints may be set');
  if (items.length > 0 && resolution === 'NONE') list.error('resolution NONE takes no endpoints');
  if (items.length > 1 && resolution === 'DNS_ROUND_ROBIN')
    list.error('resolution DNS_ROUND_ROBIN takes one endpoint');
  if (items.length > 0 && resolution === 'DYNAMIC_DNS')
    list.warning('resolution DYNAMIC_DNS resolves each name that is asked for, and uses no endpoints');
  for (const item of items) {
    if (!item.isObject()) continue;
    workload(item, 'endpoint');
    const address = item.at('address').string() ?? '';
    if (resolution === 'STATIC' && address !== '' && !isIp(address) && !address.startsWith('unix://'))
      item.at('address').error(`${quote(address)}: resolution STATIC needs an IP address`);
  }
}

function workloadSelector(spec: FieldReader): void {
  const selector = spec.at('workloadSelector');
  if (!selector.isObject('optional')) return;
  for (const [key, value] of selector.at('labels').entries()) selectorLabel(key, value);
}
