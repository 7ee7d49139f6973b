import { ApiError } from '../errors.ts';
import type { StatusCause } from '../errors.ts';
import { isJsonObject } from '../object.ts';
import type { ApiObject, JsonObject } from '../object.ts';
import type { KindStrategy } from '../operations/strategy.ts';
import { objectKey } from '../storage/object-table.ts';
import { isNodePort } from './node-ports.ts';
import type { NodePorts } from './node-ports.ts';
import { familyOf } from './service-addresses.ts';
import type { Family, ServiceAddresses } from './service-addresses.ts';

/** Services: families, cluster addresses and ports as the API server fills them in. */
export function serviceStrategy(addresses: ServiceAddresses, nodePorts: NodePorts): KindStrategy {
  return {
    answersDeleted: true,
    applyDefaults: fillIn,
    prepareCreate(service) {
      fillInAddresses(service, undefined);
      service['status'] = { loadBalancer: {} };
    },
    prepareUpdate(service, live) {
      fillInAddresses(service, live);
      keepNodePorts(service, live);
    },
    validate: (service, live) => [
      ...addressCauses(service, live, addresses),
      ...nodePortCauses(service, nodePorts),
    ],
    allocate(service) {
      const spec = specOf(service);
      allocateNodePorts(service, nodePorts);
      if (!wantsAddress(spec)) return;
      const given = textList(spec['clusterIPs']);
      const owner = keyOf(service);
      const families = textList(spec['ipFamilies']) as Family[];
      const all = families.map((family, index) => {
        const address = given[index] ?? addresses.allocate(family, owner);
        if (address === undefined)
          throw new ApiError(
            500,
            'InternalError',
            `no ${family} address for Services is left; delete some Services`,
          );
        return address;
      });
      spec['clusterIPs'] = all;
      spec['clusterIP'] = all[0];
    },
    stored(service, live) {
      const owner = keyOf(service);
      const now = new Set(textList(specOf(service)['clusterIPs']));
      for (const address of live === undefined ? [] : textList(specOf(live)['clusterIPs']))
        if (!now.has(address)) addresses.release(address, owner);
      for (const address of now) if (address !== headless) addresses.take(address, owner);
      const ports = nodePortsOf(service);
      for (const { port, protocol } of live === undefined ? [] : nodePortsOf(live))
        if (!ports.some((each) => each.port === port && each.protocol === protocol))
          nodePorts.release(port, protocol, owner);
      for (const { port, protocol } of ports) nodePorts.take(port, protocol, owner);
    },
    removed(service) {
      for (const address of textList(specOf(service)['clusterIPs']))
        addresses.release(address, keyOf(service));
      for (const { port, protocol } of nodePortsOf(service))
        nodePorts.release(port, protocol, keyOf(service));
    },
  };
}

const headless = 'None';

function keyOf(service: ApiObject): string {
  return objectKey(service.metadata.namespace, service.metadata.name);
}

function specOf(service: ApiObject): JsonObject {
  const spec = service['spec'];
  return isJsonObject(spec) ? spec : {};
}

function textList(value: unknown): string[] {
  return Array.isArray(value) ? value.filter((each): each is string => typeof each === 'string') : [];
}

function wantsAddress(spec: JsonObject): boolean {
  return spec['type'] !== 'ExternalName' && spec['clusterIP'] !== headless;
}

function portsOf(service: ApiObject): JsonObject[] {
  const { ports } = specOf(service);
  return Array.isArray(ports) ? ports.filter(isJsonObject) : [];
}

function protocolOf({ protocol }: JsonObject): string {
  return typeof protocol === 'string' ? protocol : 'TCP';
}

function nodePortsOf(service: ApiObject): { readonly port: number; readonly protocol: string }[] {
  return portsOf(service).flatMap((each) => {
    const port = each['nodePort'];
    return typeof port === 'number' && port !== 0 ? [{ port, protocol: protocolOf(each) }] : [];
  });
}

function wantsNodePorts(spec: JsonObject): boolean {
  return (
    spec['type'] === 'NodePort' ||
    (spec['type'] === 'LoadBalancer' && spec['allocateLoadBalancerNodePorts'] !== false)
  );
}

/** A port keeps the number that it has on nodes, unless the Service is no longer there. */
function keepNodePorts(service: ApiObject, live: ApiObject): void {
  const wanted = wantsNodePorts(specOf(service));
  for (const port of portsOf(service)) {
    const before = portsOf(live).find(
      (each) => each['port'] === port['port'] && protocolOf(each) === protocolOf(port),
    )?.['nodePort'];
    if (wanted) port['nodePort'] ??= before;
    else if (port['nodePort'] === before) delete port['nodePort'];
    if (port['nodePort'] === undefined) delete port['nodePort'];
  }
}

function allocateNodePorts(service: ApiObject, nodePorts: NodePorts): void {
  if (!wantsNodePorts(specOf(service))) return;
  for (const port of portsOf(service)) {
    if (typeof port['nodePort'] === 'number' && port['nodePort'] !== 0) continue;
    port['nodePort'] = nodePorts.allocate(protocolOf(port), keyOf(service));
    if (port['nodePort'] === undefined)
      throw new ApiError(500, 'InternalError', 'no node port is left; delete Services of type NodePort');
  }
}

function nodePortCauses(service: ApiObject, nodePorts: NodePorts): StatusCause[] {
  return portsOf(service).flatMap((each, index) => {
    const port = each['nodePort'];
    if (typeof port !== 'number' || port === 0) return [];
    const owner = nodePorts.ownerOf(port, protocolOf(each));
    const problem = !isNodePort(port)
      ? 'provided port is not in the valid range. The range of valid ports is 30000-32767'
      : owner !== undefined && owner !== keyOf(service)
        ? 'provided port is already allocated'
        : undefined;
    if (problem === undefined) return [];
    const field = `spec.ports[${index}].nodePort`;
    return [{ reason: 'FieldValueInvalid', field, message: `Invalid value: ${port}: ${problem}` }];
  });
}

function fillIn(service: ApiObject): void {
  if (!isJsonObject(service['spec'])) service['spec'] = {};
  const spec = specOf(service);
  spec['type'] ??= 'ClusterIP';
  spec['sessionAffinity'] ??= 'None';
  for (const port of Array.isArray(spec['ports']) ? spec['ports'] : [])
    if (isJsonObject(port)) {
      port['protocol'] ??= 'TCP';
      if (port['targetPort'] === undefined || port['targetPort'] === 0 || port['targetPort'] === '')
        port['targetPort'] = port['port'];
    }
  if (spec['type'] === 'ExternalName') {
    delete spec['internalTrafficPolicy'];
    return;
  }
  spec['internalTrafficPolicy'] ??= 'Cluster';
  if (spec['type'] === 'LoadBalancer') spec['allocateLoadBalancerNodePorts'] ??= true;
  if (spec['type'] !== 'ClusterIP') spec['externalTrafficPolicy'] ??= 'Cluster';
}

function fillInAddresses(service: ApiObject, live: ApiObject | undefined): void {
  const spec = specOf(service);
  const before = live === undefined ? undefined : specOf(live);
  if (spec['type'] === 'ExternalName') {
    for (const field of ['clusterIP', 'clusterIPs', 'ipFamilies', 'ipFamilyPolicy']) delete spec[field];
    return;
  }
  // A client that knows only one of the two fields writes only that one.
  if (spec['clusterIP'] === '') delete spec['clusterIP'];
  if (before !== undefined && spec['clusterIP'] === undefined && textList(spec['clusterIPs']).length === 0) {
    if (before['clusterIP'] !== undefined) spec['clusterIP'] = before['clusterIP'];
    if (before['clusterIPs'] !== undefined) spec['clusterIPs'] = before['clusterIPs'];
  }
  const listed = textList(spec['clusterIPs']);
  if (spec['clusterIP'] === undefined && listed[0] !== undefined) spec['clusterIP'] = listed[0];
  if (listed.length === 0 && typeof spec['clusterIP'] === 'string') spec['clusterIPs'] = [spec['clusterIP']];

  const given = textList(spec['clusterIPs']);
  const families = textList(spec['ipFamilies']);
  const noSelector = !isJsonObject(spec['selector']) || Object.keys(spec['selector']).length === 0;
  // Nobody knows the families of the endpoints that somebody else will write.
  const open = spec['clusterIP'] === headless && noSelector;
  if (spec['ipFamilyPolicy'] === undefined)
    spec['ipFamilyPolicy'] =
      given.length > 1 || families.length > 1 || (open && families.length === 0)
        ? 'RequireDualStack'
        : 'SingleStack';
  const first = families[0] ?? familyOf(given[0] ?? '') ?? 'IPv4';
  const second = first === 'IPv4' ? 'IPv6' : 'IPv4';
  spec['ipFamilies'] = spec['ipFamilyPolicy'] === 'SingleStack' ? [first] : [first, second];
  if (spec['ipFamilyPolicy'] === 'SingleStack' && given.length > 1) spec['clusterIPs'] = [given[0]];
}

function portCauses(port: JsonObject, path: string): StatusCause[] {
  return ['port', 'targetPort'].flatMap((field) => {
    const number = port[field];
    if (typeof number !== 'number' || (number >= 1 && number <= 65535)) return [];
    const message = `Invalid value: ${number}: must be between 1 and 65535, inclusive`;
    return [{ reason: 'FieldValueInvalid', field: `${path}.${field}`, message }];
  });
}

function addressCauses(
  service: ApiObject,
  live: ApiObject | undefined,
  addresses: ServiceAddresses,
): StatusCause[] {
  const spec = specOf(service);
  const causes: StatusCause[] = [];
  const ports: unknown[] = Array.isArray(spec['ports']) ? spec['ports'] : [];
  if (ports.length === 0 && spec['type'] !== 'ExternalName' && spec['clusterIP'] !== headless)
    causes.push({ reason: 'FieldValueRequired', field: 'spec.ports', message: 'Required value' });
  for (const [index, port] of ports.entries())
    if (isJsonObject(port)) causes.push(...portCauses(port, `spec.ports[${index}]`));
  const names = ports.map((port) => (isJsonObject(port) ? port['name'] : undefined));
  for (const [index, name] of names.entries())
    if (typeof name === 'string' && names.indexOf(name) < index)
      causes.push({
        reason: 'FieldValueDuplicate',
        field: `spec.ports[${index}].name`,
        message: `Duplicate value: ${JSON.stringify(name)}`,
      });
  if (ports.length > 1)
    for (const [index, port] of ports.entries())
      if (isJsonObject(port) && (port['name'] === undefined || port['name'] === ''))
        causes.push({
          reason: 'FieldValueRequired',
          field: `spec.ports[${index}].name`,
          message: 'Required value',
        });
  if (!wantsAddress(spec)) return causes;
  const before = live === undefined ? [] : textList(specOf(live)['clusterIPs']);
  for (const [index, address] of textList(spec['clusterIPs']).entries()) {
    const bad = (message: string): void => {
      causes.push({
        reason: 'FieldValueInvalid',
        field: `spec.clusterIPs[${index}]`,
        message: `Invalid value: ${JSON.stringify(address)}: ${message}`,
      });
    };
    const owner = addresses.ownerOf(address);
    if (familyOf(address) === undefined) bad('must be a valid IP address, (e.g. 10.9.8.7 or 2001:db8::ffff)');
    else if (index === 0 && before[0] !== undefined && before[0] !== headless && before[0] !== address)
      bad('may not change once set');
    else if (owner !== undefined && owner !== keyOf(service))
      bad('failed to allocate IP: provided IP is already allocated');
  }
  return causes;
}
