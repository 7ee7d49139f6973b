import type { LoadBalancing, NetworkAddress, NetworkCidr, Service } from '@ambient/mesh';
import type { istio } from '@ambient/wire';

import { FieldError } from '../errors.ts';
import {
  balancingModes,
  cidrField,
  enumName,
  enumNameOr,
  gatewayField,
  healthPolicies,
  ipFamilies,
  optionalGateway,
  portsField,
  routingScopes,
  visibilities,
} from './fields.ts';

/**
 * A service off the wire as plain data. An unknown visibility becomes public. An address with a length is a range of
 * addresses, unless the length is the whole address.
 *
 * @throws FieldError for a value that cannot be used: unknown enum values, routing scope 0, addresses that are not 4 or 16
 * bytes, lengths above 32 or 128, ports above 65535, a gateway without destination, a service without hostname
 */
export function serviceToMesh(wire: istio.workload.Service, path = 'service'): Service {
  if (wire.hostname === '')
    throw new FieldError(`${path}.hostname`, 'must not be empty: it is part of the key');
  const addresses: NetworkAddress[] = [];
  const cidrAddresses: NetworkCidr[] = [];
  wire.addresses.forEach((address, i) => {
    const at = `${path}.addresses[${i}]`;
    const width = (address.address?.length ?? 0) * 8;
    const { ip, length } = cidrField(address.address, address.length ?? width, at);
    const network = address.network ?? '';
    if ((address.length ?? width) === width) addresses.push({ network, ip });
    else cidrAddresses.push({ network, ip, length });
  });
  return {
    name: wire.name,
    namespace: wire.namespace,
    hostname: wire.hostname,
    addresses,
    cidrAddresses,
    ports: portsField(wire.ports, `${path}.ports`),
    subjectAltNames: wire.subjectAltNames,
    waypoint: optionalGateway(wire.waypoint, `${path}.waypoint`),
    weightedWaypoints: wire.weightedWaypoints.map((entry, i) => ({
      destination: gatewayField(entry.destination ?? {}, `${path}.weightedWaypoints[${i}].destination`),
      weight: entry.weight ?? 0,
    })),
    loadBalancing: wire.loadBalancing
      ? loadBalancingToMesh(wire.loadBalancing, `${path}.loadBalancing`)
      : undefined,
    ipFamilies: enumName(ipFamilies, wire.ipFamilies, `${path}.ipFamilies`),
    canonical: wire.canonical,
    visibility: enumNameOr(visibilities, wire.visibility, 'PUBLIC'),
  };
}

function loadBalancingToMesh(wire: istio.workload.ILoadBalancing, path: string): LoadBalancing {
  return {
    mode: enumName(balancingModes, wire.mode ?? 0, `${path}.mode`),
    routingPreference: (wire.routingPreference ?? []).map((scope, i) =>
      enumName(routingScopes, scope, `${path}.routingPreference[${i}]`),
    ),
    healthPolicy: enumName(healthPolicies, wire.healthPolicy ?? 0, `${path}.healthPolicy`),
  };
}
