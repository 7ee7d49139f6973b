import { Cidr, ipFromBytes } from '@ambient/mesh';
import type { AppProtocol, GatewayAddress, NetworkAddress, PortMapping } from '@ambient/mesh';
import type { istio } from '@ambient/wire';

import { FieldError } from '../errors.ts';

/** Names of enum values by their number on the wire; a gap is a value that is refused. */
export type EnumTable<T extends string> = readonly (T | undefined)[];

export const tunnelProtocols = ['NONE', 'HBONE'] as const;
export const networkModes = ['STANDARD', 'HOST_NETWORK'] as const;
export const workloadStatuses = ['HEALTHY', 'UNHEALTHY'] as const;
export const workloadTypes = ['DEPLOYMENT', 'CRONJOB', 'POD', 'JOB'] as const;
export const appProtocols = ['UNKNOWN', 'HTTP11', 'HTTP2', 'GRPC', 'TCP', 'TLS'] as const;
export const applicationTunnelProtocols = ['NONE', 'PROXY'] as const;
export const ipFamilies = ['AUTOMATIC', 'IPV4_ONLY', 'IPV6_ONLY', 'DUAL'] as const;
export const visibilities = ['PUBLIC', 'NAMESPACE'] as const;
export const routingScopes = [undefined, 'REGION', 'ZONE', 'SUBZONE', 'NODE', 'CLUSTER', 'NETWORK'] as const;
export const balancingModes = ['UNSPECIFIED_MODE', 'STRICT', 'FAILOVER', 'PASSTHROUGH'] as const;
export const healthPolicies = ['ONLY_HEALTHY', 'ALLOW_ALL'] as const;
export const policyScopes = ['GLOBAL', 'NAMESPACE', 'WORKLOAD_SELECTOR'] as const;
export const policyActions = ['ALLOW', 'DENY'] as const;

/** Name of an enum value. @throws FieldError for a value that this version does not know, which could change the meaning. */
export function enumName<T extends string>(table: EnumTable<T>, value: number, path: string): T {
  const name = table[value];
  if (name === undefined) {
    const known = table.filter((entry) => entry !== undefined).join(', ');
    throw new FieldError(path, `value ${value} is not supported (supported: ${known})`);
  }
  return name;
}

/** Name of an enum value whose unknown values mean the default: they only describe, and do not steer traffic. */
export function enumNameOr<T extends string>(table: EnumTable<T>, value: number, fallback: T): T {
  return table[value] ?? fallback;
}

/** Wire number of an enum name. */
export function enumNumber<T extends string>(table: EnumTable<T>, name: T): number {
  return table.indexOf(name);
}

/** Canonical text of an address of 4 or 16 bytes. @throws FieldError for any other length */
export function ipField(bytes: Uint8Array | null | undefined, path: string): string {
  const ip = bytes === null || bytes === undefined ? undefined : ipFromBytes(bytes);
  if (ip === undefined)
    throw new FieldError(path, `an IP address has 4 or 16 bytes, this has ${bytes?.length ?? 0}`);
  return ip;
}

/** A range of addresses with its host bits cleared. @throws FieldError for bad bytes or a length that the family has not */
export function cidrField(
  bytes: Uint8Array | null | undefined,
  length: number,
  path: string,
): { ip: string; length: number } {
  const ip = ipField(bytes, `${path}.address`);
  // An IPv4-mapped range is the IPv4 range: the mesh knows no mapped addresses.
  const prefix = bytes?.length === 16 && !ip.includes(':') ? length - 96 : length;
  const cidr = Cidr.from(ip, prefix);
  if (cidr === undefined)
    throw new FieldError(
      `${path}.length`,
      `${length} bits do not fit an address of ${bytes!.length * 8} bits`,
    );
  const text = cidr.toString();
  return { ip: text.slice(0, text.lastIndexOf('/')), length: prefix };
}

/** A port number, 0 included. @throws FieldError above 65535 */
export function portField(value: number | null | undefined, path: string): number {
  const port = value ?? 0;
  if (port > 65535) throw new FieldError(path, `${port} is not a port (0 to 65535)`);
  return port;
}

export function portsField(ports: readonly istio.workload.IPort[], path: string): PortMapping[] {
  return ports.map((port, i) => ({
    servicePort: portField(port.servicePort, `${path}[${i}].servicePort`),
    targetPort: portField(port.targetPort, `${path}[${i}].targetPort`),
    appProtocol: enumNameOr<AppProtocol>(appProtocols, port.appProtocol ?? 0, 'UNKNOWN'),
  }));
}

function networkAddressField(address: istio.workload.INetworkAddress, path: string): NetworkAddress {
  return { network: address.network ?? '', ip: ipField(address.address, `${path}.address`) };
}

/** @throws FieldError for a gateway without a destination */
export function gatewayField(gateway: istio.workload.IGatewayAddress, path: string): GatewayAddress {
  const hboneMtlsPort = portField(gateway.hboneMtlsPort, `${path}.hboneMtlsPort`);
  if (gateway.address)
    return {
      destination: { kind: 'address', address: networkAddressField(gateway.address, `${path}.address`) },
      hboneMtlsPort,
    };
  if (gateway.hostname)
    return {
      destination: {
        kind: 'hostname',
        namespace: gateway.hostname.namespace ?? '',
        hostname: gateway.hostname.hostname ?? '',
      },
      hboneMtlsPort,
    };
  throw new FieldError(`${path}.destination`, 'a gateway needs an address or a hostname');
}

/** gatewayField() for a field that may be absent. */
export function optionalGateway(
  gateway: istio.workload.IGatewayAddress | null | undefined,
  path: string,
): GatewayAddress | undefined {
  return gateway === null || gateway === undefined ? undefined : gatewayField(gateway, path);
}
