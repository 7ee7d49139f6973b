// Addresses of services in the form of the protocol.
import { Cidr, ipToBytes } from '@ambient/mesh';
import type { istio } from '@ambient/wire';
import { parseIpBlock } from '../validation/field-values.ts';

/** A single address on a network; undefined for what is not an IP address. */
export function networkAddress(network: string, ip: string): istio.workload.INetworkAddress | undefined {
  const address = ipToBytes(ip);
  return address === undefined ? undefined : { network, address };
}

/**
 * An address or a range. Bits after the prefix are cleared, and a range of one address is that address.
 * Undefined for anything else.
 */
export function networkRange(network: string, text: string): istio.workload.INetworkAddress | undefined {
  const block = parseIpBlock(text);
  const canonical = block && Cidr.from(block.ip, block.length)?.toString();
  if (canonical === undefined) return undefined;
  const slash = canonical.indexOf('/');
  const address = ipToBytes(canonical.slice(0, slash));
  if (address === undefined) return undefined;
  const length = Number(canonical.slice(slash + 1));
  return length === address.length * 8 ? { network, address } : { network, address, length };
}
