import { ipToBytes, plainWorkload } from '@ambient/mesh';
import type {
  CidrMatch,
  GatewayAddress,
  NetworkAddress,
  Policy,
  PolicyMatch,
  PortMapping,
  Service,
  StringMatch,
  Workload,
} from '@ambient/mesh';
import { istio, typeUrl } from '@ambient/wire';
import type { envoy } from '@ambient/wire';

import { FieldError } from '../errors.ts';
import {
  applicationTunnelProtocols,
  appProtocols,
  balancingModes,
  enumNumber,
  healthPolicies,
  ipFamilies,
  networkModes,
  policyActions,
  policyScopes,
  routingScopes,
  tunnelProtocols,
  visibilities,
  workloadStatuses,
  workloadTypes,
} from './fields.ts';

/** A workload as it goes over the wire. @throws FieldError for an address that is not an IP address */
export function workloadToWire(workload: Workload): istio.workload.IWorkload {
  return {
    ...plainWorkload(workload),
    addresses: workload.addresses.map((ip) => bytesOf(ip)),
    tunnelProtocol: enumNumber(tunnelProtocols, workload.tunnelProtocol),
    waypoint: gatewayToWire(workload.waypoint),
    networkGateway: gatewayToWire(workload.networkGateway),
    workloadType: enumNumber(workloadTypes, workload.workloadType),
    applicationTunnel: workload.applicationTunnel
      ? {
          protocol: enumNumber(applicationTunnelProtocols, workload.applicationTunnel.protocol),
          port: workload.applicationTunnel.port,
        }
      : null,
    services: Object.fromEntries(
      Object.entries(workload.services).map(([key, ports]) => [key, { ports: portsToWire(ports) }]),
    ),
    authorizationPolicies: [...workload.authorizationPolicies],
    status: enumNumber(workloadStatuses, workload.status),
    networkMode: enumNumber(networkModes, workload.networkMode),
    capacity: { value: workload.capacity },
  };
}

/** A service as it goes over the wire. @throws FieldError for an address that is not an IP address */
export function serviceToWire(service: Service): istio.workload.IService {
  return {
    name: service.name,
    namespace: service.namespace,
    hostname: service.hostname,
    addresses: [
      ...service.addresses.map((address) => addressToWire(address)),
      ...service.cidrAddresses.map((cidr) => ({ ...addressToWire(cidr), length: cidr.length })),
    ],
    ports: portsToWire(service.ports),
    subjectAltNames: [...service.subjectAltNames],
    waypoint: gatewayToWire(service.waypoint),
    weightedWaypoints: service.weightedWaypoints.map((entry) => ({
      destination: gatewayToWire(entry.destination),
      weight: entry.weight,
    })),
    loadBalancing: service.loadBalancing
      ? {
          mode: enumNumber(balancingModes, service.loadBalancing.mode),
          routingPreference: service.loadBalancing.routingPreference.map((s) => enumNumber(routingScopes, s)),
          healthPolicy: enumNumber(healthPolicies, service.loadBalancing.healthPolicy),
        }
      : null,
    ipFamilies: enumNumber(ipFamilies, service.ipFamilies),
    canonical: service.canonical,
    visibility: enumNumber(visibilities, service.visibility),
  };
}

/** A policy as it goes over the wire. @throws FieldError for an address that is not an IP address */
export function policyToWire(policy: Policy): istio.security.IAuthorization {
  return {
    name: policy.name,
    namespace: policy.namespace,
    scope: enumNumber(policyScopes, policy.scope),
    action: enumNumber(policyActions, policy.action),
    dryRun: policy.dryRun,
    rules: policy.rules.map((rule) => ({
      clauses: rule.clauses.map((clause) => ({ matches: clause.matches.map(matchToWire) })),
    })),
  };
}

/** A workload or a service as a discovery resource named by its key. */
export function addressResource(
  update: { workload: Workload } | { service: Service },
  version = '',
): envoy.service.discovery.v3.IResource {
  const [name, address] =
    'workload' in update
      ? [update.workload.uid, { workload: workloadToWire(update.workload) }]
      : [
          `${update.service.namespace}/${update.service.hostname}`,
          { service: serviceToWire(update.service) },
        ];
  return {
    name,
    version,
    resource: { type_url: typeUrl.address, value: istio.workload.Address.encode(address).finish() },
  };
}

/** A policy as a discovery resource named `namespace/name`. */
export function authorizationResource(policy: Policy, version = ''): envoy.service.discovery.v3.IResource {
  return {
    name: `${policy.namespace}/${policy.name}`,
    version,
    resource: {
      type_url: typeUrl.authorization,
      value: istio.security.Authorization.encode(policyToWire(policy)).finish(),
    },
  };
}

function bytesOf(ip: string): Uint8Array {
  const bytes = ipToBytes(ip);
  if (bytes === undefined) throw new FieldError('ip', `${JSON.stringify(ip)} is not an IP address`);
  return bytes;
}

function addressToWire(address: NetworkAddress): istio.workload.INetworkAddress {
  return { network: address.network, address: bytesOf(address.ip) };
}

function portsToWire(ports: readonly PortMapping[]): istio.workload.IPort[] {
  return ports.map((port) => ({
    servicePort: port.servicePort,
    targetPort: port.targetPort,
    appProtocol: enumNumber(appProtocols, port.appProtocol),
  }));
}

function gatewayToWire(gateway: GatewayAddress | undefined): istio.workload.IGatewayAddress | null {
  if (gateway === undefined) return null;
  const { destination, hboneMtlsPort } = gateway;
  return destination.kind === 'address'
    ? { address: addressToWire(destination.address), hboneMtlsPort }
    : { hostname: { namespace: destination.namespace, hostname: destination.hostname }, hboneMtlsPort };
}

function matchToWire(match: PolicyMatch): istio.security.IMatch {
  return {
    namespaces: match.namespaces.map(stringToWire),
    notNamespaces: match.notNamespaces.map(stringToWire),
    serviceAccounts: [...match.serviceAccounts],
    notServiceAccounts: [...match.notServiceAccounts],
    principals: match.principals.map(stringToWire),
    notPrincipals: match.notPrincipals.map(stringToWire),
    sourceIps: match.sourceIps.map(rangeToWire),
    notSourceIps: match.notSourceIps.map(rangeToWire),
    destinationIps: match.destinationIps.map(rangeToWire),
    notDestinationIps: match.notDestinationIps.map(rangeToWire),
    destinationPorts: [...match.destinationPorts],
    notDestinationPorts: [...match.notDestinationPorts],
  };
}

function stringToWire(match: StringMatch): istio.security.IStringMatch {
  switch (match.kind) {
    case 'exact':
      return { exact: match.value };
    case 'prefix':
      return { prefix: match.value };
    case 'suffix':
      return { suffix: match.value };
    case 'presence':
      return { presence: {} };
  }
}

function rangeToWire(range: CidrMatch): istio.security.IAddress {
  return { address: bytesOf(range.ip), length: range.length };
}
