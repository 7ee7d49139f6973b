import { canonicalIp, Cidr } from '@ambient/mesh';
import type { CidrMatch, GatewayAddress, NetworkAddress, NetworkCidr, PortMapping } from '@ambient/mesh';

import { FieldError } from '../errors.ts';
import { mapOf, portNumber, record, required, text } from './schema.ts';
import type { Check } from './schema.ts';

/** An IP address in any usual writing, as canonical text. */
export const ipText: Check<string> = (value, path) => {
  const ip = canonicalIp(text(value, path));
  if (ip === undefined) throw new FieldError(path, `${JSON.stringify(value)} is not an IP address`);
  return ip;
};

/** `network/ip`; the network may be empty. */
export const networkAddressText: Check<NetworkAddress> = (value, path) => {
  const [network, rest] = splitOnce(text(value, path), path, 'network/ip, as in "/10.0.0.1"');
  return { network, ip: ipText(rest, path) };
};

/** `network/ip/length`. */
export const networkCidrText: Check<NetworkCidr> = (value, path) => {
  const [network, rest] = splitOnce(text(value, path), path, 'network/ip/length, as in "/10.0.0.0/8"');
  return { network, ...cidrText(rest, path) };
};

/** `ip/length`; without a length it is the one address. Host bits are cleared. */
export const cidrText: Check<CidrMatch> = (value, path) => {
  const whole = text(value, path);
  const slash = whole.lastIndexOf('/');
  const ip = ipText(slash < 0 ? whole : whole.slice(0, slash), path);
  const length = slash < 0 ? undefined : whole.slice(slash + 1);
  const bits =
    length === undefined ? (ip.includes(':') ? 128 : 32) : /^\d{1,3}$/.test(length) ? Number(length) : -1;
  const cidr = Cidr.from(ip, bits);
  if (cidr === undefined) throw new FieldError(path, `${JSON.stringify(value)} is not ip/length`);
  const printed = cidr.toString();
  return { ip: printed.slice(0, printed.lastIndexOf('/')), length: bits };
};

/** Key of a service: `namespace/hostname`. */
export const serviceKeyText: Check<string> = (value, path) => {
  const key = text(value, path);
  splitOnce(key, path, 'namespace/hostname');
  return key;
};

const portKey: Check<string> = (value, path) => {
  if (!/^\d{1,5}$/.test(text(value, path)) || Number(value) > 65535)
    throw new FieldError(path, 'is not a port number');
  return value as string;
};

/** `{80: 8080}`: service port to target port. */
export const portMap: Check<PortMapping[]> = (value, path) =>
  mapOf(portKey, portNumber)(value, path).map(([servicePort, targetPort]) => ({
    servicePort: Number(servicePort),
    targetPort,
    appProtocol: 'UNKNOWN',
  }));

/** `{destination: network/ip or namespace/hostname, hboneMtlsPort}`. */
export const gateway: Check<GatewayAddress> = record<GatewayAddress>({
  destination: required((value, path) => {
    const [first, rest] = splitOnce(text(value, path), path, 'network/ip or namespace/hostname');
    const ip = canonicalIp(rest);
    return ip === undefined
      ? { kind: 'hostname', namespace: first, hostname: rest }
      : { kind: 'address', address: { network: first, ip } };
  }),
  hboneMtlsPort: required(portNumber),
});

function splitOnce(value: string, path: string, form: string): [string, string] {
  const slash = value.indexOf('/');
  if (slash < 0) throw new FieldError(path, `${JSON.stringify(value)} is not ${form}`);
  return [value.slice(0, slash), value.slice(slash + 1)];
}
